"""The models: SQL files run in the order of their names, and the contract of the public tables."""
