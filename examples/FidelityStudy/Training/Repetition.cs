using FidelityStudy.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>One repetition of the study: its seed and its teachers, each trained once and queried once.</summary>
internal sealed class Repetition(MLContext mlContext, StudyRows rows, Plan plan, int seed, CheckpointFolder checkpoints) : IDisposable
{
    public const int MostTeachers = 5;

    private readonly List<Network> _networks = [];
    private readonly List<Teacher> _teachers = [];
    private DistillationTransformer? _model;
    private ScoredTeacher? _main;
    private ScoredTeacher? _half;

    public StudyRows Rows => rows;

    public Plan Plan => plan;

    public int Seed => seed;

    /// <summary>The teacher that most students of this repetition have.</summary>
    public ScoredTeacher Main => _main ??= ScoredTeacher.Create(mlContext, rows, Teacher(0));

    /// <summary>Its network and weights.</summary>
    public DistilledStudent MainNetwork => Model.Model;

    /// <summary>How similar its classes are, by the rows of its last layer.</summary>
    public TeacherTargets ClassSimilarity
    {
        get
        {
            using var network = MainNetwork.ToNetwork();
            return TeacherTargets.ClassSimilarity(network);
        }
    }

    /// <summary>The same as an ML.NET model.</summary>
    public DistillationTransformer Model => _model ??= Train(rows.Train, 0);

    /// <summary>A teacher that was trained only on the first half of the rows.</summary>
    public ScoredTeacher Half => _half ??= ScoredTeacher.Create(mlContext, rows, AsTeacher(Train(FirstHalf, 0)));

    public StudyRow[] FirstHalf => rows.Train[..(rows.Train.Length / 2)];

    /// <summary>An ensemble of teachers that differ only in their seed. The first is the main one.</summary>
    public ScoredTeacher Ensemble(int members) => ScoredTeacher.Create(mlContext, rows, MlNetDistill.Teacher.Ensemble([.. Enumerable.Range(0, members).Select(Teacher)]));

    public void Dispose() => _networks.ForEach(network => network.Dispose());

    private Teacher Teacher(int member)
    {
        while (_teachers.Count <= member)
            _teachers.Add(AsTeacher(_teachers.Count == 0 ? Model : Train(rows.Train, _teachers.Count)));
        return _teachers[member];
    }

    /// <summary>A module, because it also answers for rows that mixup changed; an ML.NET model answers only for unchanged rows.</summary>
    private Teacher AsTeacher(DistillationTransformer model)
    {
        var network = model.Model.ToNetwork();
        _networks.Add(network);
        return MlNetDistill.Teacher.FromModule(network, network.forward, classNames: rows.Classes);
    }

    private DistillationTransformer Train(StudyRow[] from, int member) => mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
    {
        Student = plan.Teacher,
        Method = DistillationMethod.LabelsOnly(),
        LabelColumnName = "Class",
        Epochs = plan.EpochsOver(from.Length, rows.Train.Length, plan.TeacherEpochs),
        BatchSize = plan.BatchSize,
        Seed = (seed * MostTeachers) + member,
        CancellationToken = Interruption.Token,
        CheckpointDirectory = checkpoints.Of($"Teacher {member + 1} of {from.Length} rows, seed {seed}"),
    }).Fit(rows.View(from));
}
