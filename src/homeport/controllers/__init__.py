"""The loops that keep promises: keys in, commits out.

A controller names the keys that a change concerns and, given a key, re-reads everything,
decides with pure functions and commits one transaction. It is safe to run twice and after a
crash between any two steps. Controllers never call each other: they meet in the store.
"""
