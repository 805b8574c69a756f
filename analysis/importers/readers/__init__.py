"""One reader a tool: its files in, `Runs` out, nothing decided and nothing written.

optuna_trials  wandb_runs  mlflow_runs  tensorboard_runs  hydra_jobs
"""
