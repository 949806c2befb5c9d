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
    private const string Ensemble = "ensemble";
    private static readonly string[] Members = ["lightgbm", "forest", "network"];
    private const int LightGbmLeaf = 20; // ML.NET's default
    private readonly Dictionary<string, FittedTeacher> _teachers = [];
    private readonly Dictionary<string, ITransformer> _models = [];

    public static IReadOnlyList<string> Names => ["lightgbm", "fasttree", Ensemble, "network"];

    /// <summary>A teacher by its name on the command line.</summary>
    public FittedTeacher Get(string name)
    {
        if (_teachers.TryGetValue(name, out var known))
            return known;
        string[] members = name == Ensemble ? Members : [name];
        ITransformer[] models = [.. members.Select(Model)];
        Teacher[] teachers = [.. models.Select(model => Teacher.FromTransformer(model))];
        return _teachers[name] = new FittedTeacher(name, mlContext, views, Combine(teachers), models)
        {
            Unfitted = Combine([.. members.Select(member => Teacher.FromEstimator(Pipeline(member)))]),
        };

        static Teacher Combine(Teacher[] teachers) => teachers.Length == 1 ? teachers[0] : Teacher.Ensemble(teachers);
    }

    /// <summary>The settings of a teacher, by which a result is known again.</summary>
    public string Describe(string name) =>
        name == Ensemble ? string.Join('\n', Members.Select(Describe))
        : name == "network" ? $"{Network()}"
        : FormattableString.Invariant($"{name}, ML.NET's defaults, leaves of at most {Leaf(sample)} rows at least, seed {Seed}");

    private ITransformer Model(string name)
    {
        if (!_models.TryGetValue(name, out var model))
            _models[name] = model = Pipeline(name).Fit(views.View(sample.Labelled));
        return model;
    }

    private IEstimator<ITransformer> Pipeline(string name) => views.Encoding().Append(Trainer(name));

    private IEstimator<ITransformer> Trainer(string name)
    {
        var (multiclass, binary) = (mlContext.MulticlassClassification.Trainers, mlContext.BinaryClassification.Trainers);
        return name switch
        {
            "lightgbm" => multiclass.LightGbm(new LightGbmMulticlassTrainer.Options
            {
                LabelColumnName = "Class",
                MinimumExampleCountPerLeaf = Math.Min(LightGbmLeaf, Leaf(sample)),
                NumberOfThreads = threads,
                Seed = Seed,
            }),
            "fasttree" => multiclass.OneVersusAll(binary.FastTree(WithLeaf(new FastTreeBinaryTrainer.Options())), "Class"),
            "forest" => multiclass.OneVersusAll(binary.FastForest(WithLeaf(new FastForestBinaryTrainer.Options())), "Class"),
            "network" => multiclass.Distill(Network()),
            _ => throw new ArgumentException($"There is no teacher '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
        };
    }

    private T WithLeaf<T>(T options)
        where T : TreeOptions
    {
        options.LabelColumnName = "Class";
        options.MinimumExampleCountPerLeaf = Math.Min(options.MinimumExampleCountPerLeaf, Leaf(sample));
        options.NumberOfThreads = threads;
        options.Seed = Seed;
        return options;
    }

    private DistillationOptions Network() => new()
    {
        Student = views.Set.TeacherNetwork,
        Method = DistillationMethod.LabelsOnly(),
        LabelColumnName = "Class",
        Seed = Seed,
    };

    /// <summary>
    /// Fewest rows of a leaf: at most a tenth of the rows of the rarest class. ML.NET's defaults (20 and 10) need more rows than a class may have where few rows have labels.
    /// </summary>
    private static int Leaf(Sample sample) => Math.Max(1, sample.Labelled.GroupBy(row => row.Label).Min(rows => rows.Count()) / 10);
}
