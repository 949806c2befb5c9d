namespace MlNetDistill.Evaluation;

/// <summary>The evaluation of a search by embeddings.</summary>
public sealed record RetrievalMetrics
{
    /// <summary>Number of rows that were searched for.</summary>
    public required int Rows { get; init; }

    /// <summary>Number of rows that were searched.</summary>
    public required int GalleryRows { get; init; }

    /// <summary>Rows that have an identity and a row of it to be found; the means are over these.</summary>
    public required int Queries { get; init; }

    /// <summary>The quality of the embeddings.</summary>
    public required RetrievalQuality Student { get; init; }

    /// <summary>The quality of the teacher's embeddings on the same rows; null if none were given.</summary>
    public required RetrievalQuality? Teacher { get; init; }

    /// <summary>
    /// Mean over all rows of the share of a row's nearest rows that are also among the teacher's nearest, in [0, 1]; null if the teacher's embeddings were not given.
    /// Identities do not matter for it.
    /// </summary>
    public required double? NeighbourAgreement { get; init; }

    /// <summary>How many nearest rows are compared.</summary>
    public required int Neighbours { get; init; }

    /// <summary>A table.</summary>
    public override string ToString()
    {
        var ranks = new[] { 1, 5, 10 }.Where(rank => rank <= Student.MatchCurve.Count).ToArray();
        string?[] Row(string name, RetrievalQuality quality) => [name, .. ranks.Select(rank => Figures.Percent(quality.RankAt(rank))), Figures.Percent(quality.MeanAveragePrecision)];
        List<string?[]> rows = [["", .. ranks.Select(rank => FormattableString.Invariant($"rank {rank}")), "mAP"], Row("student", Student)];
        if (Teacher is { } teacher)
            rows.Add(Row("teacher", teacher));
        List<string> lines = [$"{Figures.Count(Queries, "query", "queries")} in {Figures.Count(GalleryRows, "row")}", TextTable.Format([.. rows])];
        if (NeighbourAgreement is { } agreement)
            lines.Add($"{Figures.Percent(agreement)} of the {Figures.Count(Neighbours)} nearest rows are the teacher's");
        return string.Join(Environment.NewLine, lines);
    }
}
