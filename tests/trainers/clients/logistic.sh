#!/bin/sh
# Logistic growth fitted by gradient descent, in awk. Usage: logistic.sh RATE STEPS CLIP SEED FOLDER
set -eu
rate=$1 steps=$2 clip=$3 seed=$4 folder=$5
awk -v rate="$rate" -v steps="$steps" -v clip="$clip" -v seed="$seed" 'BEGIN {
    srand(seed)
    for (i = 0; i < 60; i++) {
        t[i] = i / 10
        y[i] = 1 / (1 + exp(-(1.5 * t[i] - 4))) + (rand() - 0.5) / 10
    }
    a = 0; b = 0
    print "step,loss"
    for (step = 1; step <= steps; step++) {
        loss = ga = gb = 0
        for (i = 0; i < 60; i++) {
            p = 1 / (1 + exp(-(a * t[i] + b)))
            e = p - y[i]
            loss += e * e / 60
            ga += e * p * (1 - p) * t[i] / 30
            gb += e * p * (1 - p) / 30
        }
        if (clip == "true") { ga = ga > 0.1 ? 0.1 : ga < -0.1 ? -0.1 : ga }
        a -= rate * ga; b -= rate * gb
        if (step % 20 == 0) printf "%d,%.6f\n", step, loss
    }
}' > "$folder/metrics.csv"
