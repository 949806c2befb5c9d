namespace MlNetDistill;

/// <summary>What a teacher's scores are.</summary>
public enum ScoreKind
{
    /// <summary>Probabilities if every row is in [0, 1] and sums to 1 (within 0.001); otherwise an error asks for one of the others.</summary>
    Auto,

    /// <summary>
    /// Class probabilities. Their logarithms become the logits; exact zeros, which trees give, count as 1e-30 (-69.1 nats).
    /// </summary>
    Probabilities,

    /// <summary>Scores before softmax.</summary>
    Logits,
}
