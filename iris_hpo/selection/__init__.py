"""The choice of the best candidate: rules, the leaderboard, and the champion.

Scores are made in `training`; pictures of a selection in `reports`.
"""
