"""A regression with scikit-learn: a function, and nothing of the runner in it."""

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler


def data(seed, noise):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (400, 3))
    y = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + rng.normal(0, noise, 400)
    return train_test_split(x, y, test_size=0.25, random_state=seed)


def fit(model: str, degree: int = 1, trees: int = 0, noise: float = 0.1, *, seed: int):
    x, x_test, y, y_test = data(seed, noise)
    if model == "ridge":
        estimator = Ridge()
    else:
        estimator = GradientBoostingRegressor(n_estimators=trees, random_state=seed)
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(degree), estimator)
    pipeline.fit(x, y)
    return {"mae": mean_absolute_error(y_test, pipeline.predict(x_test))}
