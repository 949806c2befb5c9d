using DoesItPay.Data;
using Microsoft.ML;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using MlNetDistill;
using MlNetDistill.Methods;

namespace DoesItPay.Training;

/// <summary>The teachers, fitted when they are first asked for, on the labelled rows of a sample.</summary>
internal sealed class TeacherKinds(MLContext mlContext, Views views, Sample sample, int threads)
{
    private const int Seed = 1;
    private readonly Dictionary<string, FittedTeacher> _teachers = [];
    private readonly Dictionary<string, ITransformer> _models = [];

    public static IReadOnlyList<string> Names => ["lightgbm", "fasttree", "ensemble", "network"];

    /// <summary>A teacher by its name on the command line.</summary>
    public FittedTeacher Get(string name)
    {
        if (_teachers.TryGetValue(name, out var known))
            return known;
        string[] members = name == "ensemble" ? ["lightgbm", "forest"] : [name];
        ITransformer[] models = [.. members.Select(Model)];
        Teacher[] teachers = [.. models.Select(model => Teacher.FromTransformer(model))];
        return _teachers[name] = new FittedTeacher(mlContext, views, teachers.Length == 1 ? teachers[0] : Teacher.Ensemble(teachers), models);
    }

    private ITransformer Model(string name)
    {
        if (!_models.TryGetValue(name, out var model))
            _models[name] = model = views.Encoding().Append(Trainer(name)).Fit(views.View(sample.Labelled));
        return model;
    }

    private IEstimator<ITransformer> Trainer(string name)
    {
        var (multiclass, binary) = (mlContext.MulticlassClassification.Trainers, mlContext.BinaryClassification.Trainers);
        return name switch
        {
            "lightgbm" => multiclass.LightGbm(new LightGbmMulticlassTrainer.Options { LabelColumnName = "Class", NumberOfThreads = threads, Seed = Seed }),
            "fasttree" => multiclass.OneVersusAll(
                binary.FastTree(new FastTreeBinaryTrainer.Options { LabelColumnName = "Class", NumberOfThreads = threads, Seed = Seed }), "Class"),
            "forest" => multiclass.OneVersusAll(
                binary.FastForest(new FastForestBinaryTrainer.Options { LabelColumnName = "Class", NumberOfThreads = threads, Seed = Seed }), "Class"),
            "network" => multiclass.Distill(new DistillationOptions
            {
                Student = views.Set.TeacherNetwork,
                Method = DistillationMethod.LabelsOnly(),
                LabelColumnName = "Class",
                Seed = Seed,
            }),
            _ => throw new ArgumentException($"There is no teacher '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
        };
    }
}
