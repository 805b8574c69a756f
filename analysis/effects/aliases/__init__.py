"""What the runs at hand cannot tell apart, and what they can estimate instead.

estimability  terms that are not estimable    aliasing         what is mixed with what
lenth         designs without an error term   aliased_effects  sums of aliased effects
"""
