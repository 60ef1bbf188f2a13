"""The place of the NetworkPolicy agent.

Debian has no plug-in that enforces NetworkPolicies, and `ptp` sends all traffic of Pods through the
node's forward hook: an agent of ours will compile policies into one nft table per node here (sets of
`ip saddr . ip daddr . tcp dport`, `reject`; 10,000 elements load in 0.17 s). It comes with the issue
on trust. Until then NetworkPolicies are stored by the API server and enforced by nobody.
"""
