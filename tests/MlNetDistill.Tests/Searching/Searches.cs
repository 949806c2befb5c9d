using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

/// <summary>Searches that take a second or less.</summary>
internal static class Searches
{
    /// <summary>Methods that differ, of which a search can try as many as it likes.</summary>
    public static IReadOnlyList<DistillationMethod> Methods(int count) => [.. Enumerable.Range(1, count).Select(i => DistillationMethod.Kd(1 + (0.25 * i), 0.9))];

    public static SearchOptions Quick(int methods = 3) => new() { Space = new SearchSpace { Methods = Methods(methods), LearningRates = [0.03], TransferRows = [null] }, MinimumSteps = 1 };

    /// <summary>The default space, with few trainings.</summary>
    public static SearchOptions Default => new() { Trials = 8, MinimumSteps = 1 };

    public static DistillationTrainer Trainer(this MLContext context, DistillationOptions options) => context.MulticlassClassification.Trainers.Distill(options);

    /// <summary>A student that learns from ML.NET's regression.</summary>
    public static DistillationOptions Student(this MLContext context, IDataView view) => Rows.Quick(Teacher.FromTransformer(context.Regression().Fit(view)));

    /// <summary>All of a leaderboard but the times.</summary>
    public static string[] Lines(this SearchResult result) => [.. result.Leaderboard.Select(trial =>
        FormattableString.Invariant($"{trial.Number} {trial.Method} {trial.LearningRate:R} {trial.Student} {trial.TransferRows} ") +
        string.Join("; ", trial.Rungs.Select(r => FormattableString.Invariant($"{r.Epochs} {r.Steps} {r.Accuracy:R} {r.Agreement:R} {r.Loss:R} {r.TeacherLoss:R}"))))];
}

/// <summary>Calls back at once, on the thread of the search.</summary>
internal sealed class Watcher(Action<SearchProgress> watch) : IProgress<SearchProgress>
{
    public void Report(SearchProgress value) => watch(value);
}
