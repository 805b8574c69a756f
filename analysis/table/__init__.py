"""The long table every analysis starts from, checked and typed once, here.

tidy     the checked `Table`            records  rows as JSON
rates    yes and no over the grid       cells    counts a combination
curves   learning curves of a store
"""
