using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Training runs as the trainer makes them, in a few words.</summary>
internal static class Runs
{
    public static Network Student(NetworkSpec spec, IRowSource set, int seed = 1) =>
        spec.Build(new NetworkInput(set.Shape, set.IsByte), set.Classes(), seed);

    public static Stage Stage(
        int epochs,
        DistillationLoss? loss = null,
        StageTeacher? teacher = null,
        int batchSize = 16,
        Optimizer? optimizer = null,
        LearningRateSchedule? schedule = null,
        string name = "stage") => new(
            name,
            teacher,
            loss ?? new CrossEntropyLoss(),
            new ShuffledSampler(batchSize),
            epochs,
            optimizer ?? Optimizer.Sgd(0.05),
            schedule ?? LearningRateSchedule.Constant());

    /// <summary>Trains on all rows, or as <paramref name="split"/> says; gives the reports and whether the run was cancelled.</summary>
    public static (List<TrainingProgress> Reports, bool Cancelled) Train(
        Network network, IRowSource set, Stage stage, int seed = 1, DataSplit? split = null, LoopSettings? settings = null)
    {
        using var all = DataSplit.All(set);
        settings ??= new LoopSettings();
        var reports = new List<TrainingProgress>();
        void Report(TrainingProgress progress)
        {
            reports.Add(progress);
            settings.Report(progress);
        }

        using var loop = new TrainingLoop(network, new MulticlassTask(network.LogitCount), set, split ?? all, new Seeds(seed), "student", settings with { Report = Report });
        loop.Run([stage]);
        return (reports, loop.Cancelled);
    }

    /// <summary>Every parameter and every buffer, for comparison bit by bit.</summary>
    public static double[] State(Network network) => [.. network.state_dict().Values.SelectMany(Near.Values)];

    /// <summary>How good a network is by the labels of all rows.</summary>
    public static ValidationResult Judge(Network network, IRowSource set)
    {
        using var scope = NewDisposeScope();
        var all = arange(set.Count, int64);
        return Scoring.Evaluate(new MulticlassTask(network.LogitCount), Scoring.Logits(network, set, all, 64), set, all);
    }

    /// <summary>Share of the rows labelled rightly.</summary>
    public static double Accuracy(Network network, IRowSource set)
    {
        using var scope = NewDisposeScope();
        return Judge(network, set).Quality;
    }

    /// <summary>A teacher that gives the logits of a network from a cache in shuffled order.</summary>
    public static GivenTeacher Cached(Network teacher, IRowSource set)
    {
        using var scope = NewDisposeScope();
        return new GivenTeacher(Scoring.Logits(teacher, set, arange(set.Count, int64), 64).DetachFromDisposeScope());
    }
}
