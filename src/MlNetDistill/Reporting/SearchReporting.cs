using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Writes the result of a search to files.</summary>
public static class SearchReporting
{
    private const int Format = 1;

    /// <summary>
    /// Writes <c>search.html</c>, a page with the verdict, the leaderboard and charts of accuracy and agreement against size and time, and <c>search.json</c> with the same
    /// numbers. Existing files are replaced; a file is never left incomplete.
    /// </summary>
    /// <param name="result">The result of <see cref="DistillationTrainer.Search(Microsoft.ML.IDataView, SearchOptions?)"/>.</param>
    /// <param name="folder">The folder, which is created if it does not exist.</param>
    /// <exception cref="ArgumentException">The folder's name is empty.</exception>
    /// <exception cref="IOException">The folder cannot be created, or a file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static void SaveReport(this SearchResult result, string folder)
    {
        ArgumentNullException.ThrowIfNull(result);
        ReportFiles.Write(folder, "search", () => SearchPage.Render(result), () => ToJson(result));
    }

    private static string ToJson(SearchResult result) => ReportJson.Serialize(new
    {
        Format,
        Goal = $"{result.Goal}",
        result.Verdict,
        result.PrefersAlone,
        Best = result.Best.Number,
        BestAlone = result.BestAlone.Number,
        Judged = new { result.Metrics.Rows, result.Gain, result.AccuracyGain, result.AgreementGain, Student = Judged(result.Metrics), Alone = Judged(result.AloneMetrics) },
        result.ChoosingRows,
        result.TeacherAccuracy,
        result.TrainingSteps,
        result.StepsOfOneFit,
        result.Elapsed,
        Leaderboard = result.Leaderboard.Select(trial => new
        {
            trial.Number,
            Method = $"{trial.Method}",
            trial.LearningRate,
            Student = trial.Student.Name,
            TransferRows = trial.TransferRows?.ToString(),
            trial.Parameters,
            trial.Rungs,
            ChosenEpochs = trial.Chosen?.Epochs,
            trial.Failure,
            trial.ZipBytes,
            trial.MicrosecondsPerRow,
        }),
    });

    private static object Judged(DistillationMetrics metrics) => new { metrics.Student!.Accuracy, TeacherAccuracy = metrics.Teacher!.Accuracy, metrics.Agreement, metrics.Divergence };
}
