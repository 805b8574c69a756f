"""The database under the store: where it is, its tables, its connections.

address  where it is             connections  transactions, patience
tables   what it holds           preparing    made once, refused where it is no store
bulk     many rows a statement   locks        for what is done once
damage   which row is damaged    outages      what the store raises and says
sqlite_file/  the file of a SQLite store
"""
