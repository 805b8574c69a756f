"""`Watch` as a callback of the library that runs the loop; each imports its library, this does not.

skin                what they share         lightning     for `import lightning`
pytorch_lightning   for that spelling       transformers  for a Hugging Face Trainer

    from runner.doctor.callbacks.lightning import DoctorCallback
    from runner.doctor.callbacks.transformers import DoctorCallback
"""
