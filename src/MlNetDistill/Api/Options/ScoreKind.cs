namespace MlNetDistill;

/// <summary>The kind of a model's scores.</summary>
public enum ScoreKind
{
    /// <summary>
    /// Probabilities if rows are in [0, 1] and sum to 1 (within 0.001). For a naive Bayes model of ML.NET, joint log-scores, which are <see cref="Logits"/>. For an
    /// imported model (ONNX, TorchScript, a module), logits if any score is below 0 or above 1. Otherwise an error asks for another value.
    /// </summary>
    Auto,

    /// <summary>
    /// Class probabilities, also rounded ones: rows whose sum is within 0.05 of 1 are scaled to sum to 1, other rows are an error. Their logarithms are the logits;
    /// exact zeros, which trees give, count as 1e-30 (-69.1 nats).
    /// </summary>
    Probabilities,

    /// <summary>
    /// Scores before softmax. Log-probabilities and joint log-scores are logits too, as softmax ignores a common summand. All must be finite: if one is the logarithm
    /// of 0, give the probabilities instead.
    /// </summary>
    Logits,

    /// <summary>
    /// Decision values of uncalibrated one-versus-all classifiers, each above 0 for "this class": p ∝ σ(margin), our choice. The order of the classes is right, but
    /// their confidence means little; calibrate the model if you can. For an uncalibrated binary model, σ(score) is the probability of <c>true</c>.
    /// </summary>
    Margins,
}
