"""Who is the best: rules, the leaderboard, and the champion."""
