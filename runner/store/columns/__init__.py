"""What one column of the store's tables holds, and how its value goes in and comes out.

states    where a cell or an attempt stands    values  as both databases keep them
checked   column types that refuse damage
"""
