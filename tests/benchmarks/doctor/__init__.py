"""How often `doctor` names the cause: mutants of a small VGG on CIFAR-10, and healthy trainings.

networks   what is trained       mutants   what is broken, at three strengths
measure    the tables            healthy   what must raise no alarm
"""
