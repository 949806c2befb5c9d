using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Export;
using MlNetDistill.Fitting;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>
/// What is in the <see cref="DistillationOptions.CheckpointDirectory"/> of a training, read without its rows, its teacher or its options, also while it is running: how far it is,
/// and the student so far. To continue the training, call <c>Fit</c> with its options.
/// </summary>
/// <example>
/// <code>
/// var checkpoint = Checkpoint.Open("checkpoints");
/// Console.WriteLine(checkpoint);
/// var student = checkpoint.CreateStudent(mlContext);
/// </code>
/// </example>
public sealed class Checkpoint
{
    private readonly FitDescription _description;

    private Checkpoint(string directory, FitDescription description, IReadOnlyList<CheckpointedNetwork> networks) => (Directory, _description, Networks) = (directory, description, networks);

    /// <summary>The directory.</summary>
    public string Directory { get; }

    /// <summary>Names and versions of the libraries that wrote it.</summary>
    public string WrittenBy => _description.WrittenBy;

    /// <summary>Name of the method.</summary>
    public string Method => _description.Method;

    /// <summary>Seed of the training.</summary>
    public int Seed => _description.Seed;

    /// <summary>Number of rows read, those held out included.</summary>
    public long Rows => _description.Rows;

    /// <summary>The options by name, as text.</summary>
    public IReadOnlyList<ReportedSetting> Settings => _description.Settings;

    /// <summary>The networks that have a checkpoint: a teacher that is trained in <c>Fit</c>, the student, the student alone (<see cref="DistillationOptions.CompareAlone"/>).</summary>
    public IReadOnlyList<CheckpointedNetwork> Networks { get; }

    /// <summary>The student's training; null before its first checkpoint.</summary>
    public CheckpointedNetwork? Student => Networks.FirstOrDefault(network => network.Role == FitNetworks.StudentRole);

    /// <summary>Opens a directory.</summary>
    /// <param name="directory">The <see cref="DistillationOptions.CheckpointDirectory"/> of a training.</param>
    /// <exception cref="InvalidDataException">It is not the checkpoint directory of a training, or a file in it is damaged or of another version; the message says which.</exception>
    public static Checkpoint Open(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        var full = Path.GetFullPath(directory);
        var description = System.IO.Directory.Exists(full) ? FitDescription.Find(full) : null;
        if (description is null)
            throw new InvalidDataException($"'{full}' has no {FitDescription.FileName}, so it is not the checkpoint directory of a training. Give the directory in CheckpointDirectory.");
        return new Checkpoint(full, description, CheckpointedNetwork.Read(RunFolders.PathOf(full, description.Run)));
    }

    /// <summary>The student so far as an ML.NET model: with the weights of its best epoch if rows are held out, else with the last ones. It can be saved and scored like one that was fitted.</summary>
    /// <param name="context">Creates the model.</param>
    /// <param name="spec">The student's specification, if it is a network of your own; null for a network of this library.</param>
    /// <exception cref="InvalidOperationException">The student has no checkpoint yet, it is one of embeddings, or the specification is needed or another one.</exception>
    /// <exception cref="InvalidDataException">A file is damaged; the message names it.</exception>
    public DistillationTransformer CreateStudent(MLContext context, NetworkSpec? spec = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        var trained = Student ?? throw new InvalidOperationException($"The student in '{Directory}' has no checkpoint yet{(Networks is [var first, ..] ? $"; the {first.Role} is being trained" : "")}.");
        var described = _description.Student;
        if (described.Columns is not { } names)
            throw new InvalidOperationException($"'{Directory}' is of a student of embeddings, which only Fit makes a model of: call it with the options of the training.");
        spec ??= ReadSpec(described);
        if (spec.ToJson() != described.Specification)
            throw new InvalidOperationException($"The student in '{Directory}' is a {described.Name} ({described.Specification}); given was a {spec.Name} ({spec.ToJson()}). Give the specification that it was trained with.");
        using var saved = new SavedState(CheckpointedNetwork.ReadLast(Folder, trained.Role).State);
        using var network = Build(spec, described);
        saved.CopyBestWeights(network);
        network.eval();
        var schema = ReadSchema(context);
        var columns = FindColumns(schema, names, spec, described);
        var model = new DistilledStudent(network, spec, described.Classes, Method, Seed, trained.History, [Note(trained)], [], Settings);
        return new DistillationTransformer(context, new StudentChain(context, network, columns, new MulticlassExport(columns)), schema, model, null);
    }

    /// <summary>The training, and how far each network is.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine, [$"{Method}, seed {NumberText.Join([Seed])}, student {_description.Student.Name}, saved by {WrittenBy}", .. Networks.Select(network => $"{network}")]);

    private string Folder => RunFolders.PathOf(Directory, _description.Run);

    private static string Note(CheckpointedNetwork trained) =>
        trained.IsFinished ? "The student was read from the checkpoint of its training." : $"The student was read from a checkpoint in the middle of its training: {trained}.";

    private NetworkSpec ReadSpec(DescribedStudent described)
    {
        try
        {
            return NetworkSpec.FromJson(described.Specification);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"The student in '{Directory}' is a network of your own ({described.SpecificationType}): give its specification to CreateStudent.", e);
        }
    }

    private Network Build(NetworkSpec spec, DescribedStudent described)
    {
        try
        {
            return spec.Build(described.Input, described.Outputs, Seed);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{Path.Combine(Directory, FitDescription.FileName)}' describes no student that can be built: {e.Message}", e);
        }
    }

    private DataViewSchema ReadSchema(MLContext context)
    {
        var path = Path.Combine(Folder, FitCheckpoints.SchemaName);
        try
        {
            context.Model.Load(path, out var schema);
            return schema;
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or IOException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{path}' should have the schema of the training's rows, and cannot be read: {e.Message}", e);
        }
    }

    private static TrainerColumns FindColumns(DataViewSchema schema, DescribedColumns names, NetworkSpec spec, DescribedStudent described) => TrainerColumns.Find(
        schema,
        new DistillationOptions
        {
            Student = spec,
            LabelColumnName = names.Label,
            FeatureColumnName = names.Features,
            ScoreColumnName = names.Score,
            PredictedLabelColumnName = names.PredictedLabel,
            ImageShape = described.Input.Shape.IsImage ? described.Input.Shape : null,
        },
        described.Classes is { } classes ? ClassColumn.FromNames(classes) : ClassColumn.FromCount(described.Outputs));
}
