namespace MlNetDistill.Evaluation;

/// <summary>Whether distilling paid: the distilled student compared with the same student trained on labels alone, on the same rows.</summary>
public enum PayoffAnswer
{
    /// <summary>The interval of the difference contains 0: neither a gain nor a loss is shown.</summary>
    NotShown,

    /// <summary>The interval is above 0: the distilled student is better.</summary>
    Yes,

    /// <summary>The interval is below 0: the distilled student is worse.</summary>
    No,
}
