namespace MlNetDistill.Fitting;

/// <summary>Says how far a teacher's accuracy can be trusted: on rows that it was trained on it is too high.</summary>
internal static class SeenRowsText
{
    // Hardly any model is right on 999 of 1000 new rows.
    private const double KnownByHeart = 0.999;

    // A model that is right on 98 of 100 new rows is right on all of 150 with a probability of 5 %.
    private const int EnoughRows = 150;

    private const string Remedy = "To see its accuracy on new rows, ";

    /// <summary>Whether its accuracy is most likely that of rows that it was trained on.</summary>
    public static bool IsKnownByHeart(SeenRows seen, bool heldOut, double accuracy, long rows) => rows >= EnoughRows && accuracy >= KnownByHeart && !AreNew(seen, heldOut);

    /// <summary>A sentence about the rows; null if it was not trained on them.</summary>
    /// <param name="seen">Which rows it was trained on.</param>
    /// <param name="heldOut">Whether it was judged on held-out rows; else on training rows.</param>
    /// <param name="accuracy">Its accuracy on them.</param>
    /// <param name="rows">Their number.</param>
    public static string? Describe(SeenRows seen, bool heldOut, double accuracy, long rows)
    {
        if (AreNew(seen, heldOut))
            return null;
        if (seen == SeenRows.Training)
            return $"It is trained on these rows, so this accuracy is too high. {Remedy}hold rows out (ValidationFraction or ValidationColumnName).";
        var trained = IsKnownByHeart(seen, heldOut, accuracy, rows)
            ? "These are most likely rows that the teacher was trained on, so this accuracy is too high."
            : "If these are rows that the teacher was trained on, this accuracy is too high.";
        return $"{trained} {Remedy}keep the held-out rows from its training, or let the fit do both (Teacher.FromEstimator with ValidationFraction).";
    }

    private static bool AreNew(SeenRows seen, bool heldOut) => seen == SeenRows.None || (seen == SeenRows.Training && heldOut);
}
