namespace MlNetDistill;

/// <summary>What a teacher's scores are.</summary>
public enum ScoreKind
{
    /// <summary>
    /// Probabilities if rows are in [0, 1] and sum to 1 (within 0.001). Of a naive Bayes model of ML.NET, joint log-scores, which are
    /// <see cref="Logits"/>. Of a model from elsewhere (ONNX, TorchScript, a module), logits if some of its scores are below 0 or above 1. Otherwise an
    /// error asks for one of the others.
    /// </summary>
    Auto,

    /// <summary>
    /// Class probabilities, rounded ones too: rows whose sum is within 0.05 of 1 are scaled to sum to 1, others are refused. Their logarithms become the logits;
    /// exact zeros, which trees give, count as 1e-30 (-69.1 nats).
    /// </summary>
    Probabilities,

    /// <summary>
    /// Scores before softmax; log-probabilities and joint log-scores too, as softmax takes their common part away. All must be finite: where one is the logarithm
    /// of 0, give the probabilities instead.
    /// </summary>
    Logits,

    /// <summary>
    /// Decision values of one-versus-all classifiers that were not calibrated, each above 0 for "this class": p ∝ σ(margin), our choice. They keep the order of
    /// the classes, but how sure they are means little; calibrate the model where you can. Of a binary model that was not calibrated: σ(score) for <c>true</c>.
    /// </summary>
    Margins,
}
