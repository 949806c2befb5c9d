using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A method trained from its first stage to its last, as the trainer does it.</summary>
internal sealed class MethodRun
{
    public List<TrainingProgress> Reports { get; } = [];

    public List<string> Notes { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <summary>Called before each stage with the stage that comes.</summary>
    public Action<Stage> BeforeStage { get; init; } = _ => { };

    public Optimizer Optimizer { get; init; } = Optimizer.AdamW(0.01);

    public int Epochs { get; init; } = 12;

    public int BatchSize { get; init; } = 32;

    public double HeldOut { get; init; }

    public int Seed { get; init; } = 1;

    public EarlyStopping? EarlyStopping { get; init; }

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle();

    public void Train(Network student, IRowSource set, DistillationMethod method, params IReadOnlyList<Anchor> anchors)
    {
        using var drawing = new Generator(5);
        using var split = HeldOut > 0 ? DataSplit.ByFraction(set, HeldOut, drawing) : DataSplit.All(set);
        using var loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, split, new Seeds(Seed), "student", new LoopSettings
        {
            Report = Reports.Add,
            Warn = Warnings.Add,
            EarlyStopping = EarlyStopping,
        });
        var context = new MethodContext(anchors, student.GetOutputShapes(), new ShuffledSampler(BatchSize), Epochs, Optimizer, Schedule)
        {
            HeldOutDivergence = split.Validation is null ? null : loop.HeldOutDivergence,
            Note = Notes.Add,
            Decisions = new MethodDecisions(loop.State.Decisions),
        };
        loop.Run(method.Stages(context).Select(stage =>
        {
            BeforeStage(stage);
            return stage;
        }));
    }

    public static Anchor Anchor(Network teacher) => new("teacher", 1, new NetworkTeacher(teacher, TeacherCaching.InMemory(64)));
}
