namespace MlNetDistill.Evaluation;

/// <summary>The answer to "did distilling pay?" in words.</summary>
internal static class PayoffText
{
    public const string Question = "Did distilling pay, compared with the same student trained on labels alone?";

    public const string Agreement = "agreement with the teacher";

    /// <summary>The answer that an interval gives; null without an interval.</summary>
    public static PayoffAnswer? AnswerTo(Estimate? difference) => difference is not { Lower: { } lower, Upper: { } upper } ? null
        : lower > 0 ? PayoffAnswer.Yes
        : upper < 0 ? PayoffAnswer.No
        : PayoffAnswer.NotShown;

    /// <summary>A difference with its answer: <c>by accuracy, yes: 1.20 points (0.40 to 2.00) more</c>.</summary>
    public static string Describe(string figure, Estimate difference) => AnswerTo(difference) switch
    {
        PayoffAnswer.Yes => $"by {figure}, yes: {Figures.WithInterval(difference, Figures.Points)} more",
        PayoffAnswer.No => $"by {figure}, no: {Figures.WithInterval(new(-difference.Value, -difference.Upper, -difference.Lower), Figures.Points)} less",
        PayoffAnswer.NotShown => $"by {figure}, not shown: {Interval(difference)}",
        _ => $"by {figure}, unknown without an interval: {Figures.Change(difference)} points",
    };

    /// <summary>A difference of two shares: <c>+1.20 points (−0.40 to +2.80)</c>.</summary>
    public static string Interval(Estimate difference) => difference is { Lower: { } lower, Upper: { } upper }
        ? $"{Figures.Change(difference)} points ({Figures.Change(lower)} to {Figures.Change(upper)})"
        : $"{Figures.Change(difference)} points";

    /// <summary>Parts that begin with a small letter as one sentence.</summary>
    public static string Join(params IEnumerable<string> parts)
    {
        var text = string.Join("; ", parts);
        return $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
    }
}
