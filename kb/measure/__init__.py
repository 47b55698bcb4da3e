"""How a number is obtained: plan, schedule, timing protocol, quality flags."""
