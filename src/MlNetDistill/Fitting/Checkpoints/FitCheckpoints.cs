using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>The checkpoint directory of a fit, locked while it is open: a description of the fit, and the states of its trainings.</summary>
internal sealed class FitCheckpoints : IDisposable
{
    /// <summary>The schema of the fit's input, with no transformer.</summary>
    public const string SchemaName = "schema.zip";

    private const string AnswersName = "answers.safetensors";
    private const string StartName = "warm-start.safetensors";
    private const string RouteName = "route";
    private const int ListedDifferences = 3;

    private readonly string _directory;
    private readonly CheckpointOptions _options;
    private readonly FitDescription _description;
    private readonly IChannel _channel;
    private readonly DirectoryLock _lock;

    private FitCheckpoints(string directory, CheckpointOptions options, FitDescription description, IChannel channel, DirectoryLock taken) =>
        (_directory, _options, _description, _channel, _lock) = (directory, options, description, channel, taken);

    /// <summary>Where the checkpoints of a route that is trained in the fit are kept, and the name of the run in them.</summary>
    public KeptRoute Route => new(Path.Combine(_directory, RouteName), _description.Run);

    /// <summary>Whether the student starts from the weights of an earlier training.</summary>
    public bool IsWarmStart => _description.IsWarmStart;

    /// <summary>Opens a directory for a fit, and creates it if it does not exist.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="options">When checkpoints are saved, and what happens if the directory belongs to another training.</param>
    /// <param name="now">Describes the fit.</param>
    /// <param name="context">Saves the schema.</param>
    /// <param name="schema">The schema of the fit's input.</param>
    /// <param name="channel">Receives messages.</param>
    /// <exception cref="InvalidOperationException">The directory cannot be used, or another training uses it, or its checkpoints are of another training; the message says what to do.</exception>
    public static FitCheckpoints Open(string directory, CheckpointOptions options, FitDescription now, MLContext context, DataViewSchema schema, IChannel channel)
    {
        var taken = Lock(directory);
        try
        {
            var kept = FitDescription.Find(directory);
            string[] differences = kept is null ? [] : [.. kept.FindDifferences(now)];
            if (kept is not null && differences.Length == 0)
                return new FitCheckpoints(directory, options, kept, channel, taken);
            if (kept is not null)
            {
                Change(directory, options, differences, channel);
                now = now with { IsWarmStart = options.WhenChanged == ChangedTraining.WarmStart };
            }
            else if (CheckpointFiles.FindAll(directory) is [var file, ..])
            {
                throw new InvalidOperationException($"'{directory}' has checkpoints ('{Path.GetFileName(file)}') and no {FitDescription.FileName} that says of what. Give another CheckpointDirectory, or delete them.");
            }

            AtomicFile.Write(Path.Combine(directory, SchemaName), stream => context.Model.Save(new TransformerChain<ITransformer>(), schema, stream), "the schema of the training's rows");
            // Last: where it is, the rest is complete.
            now.Write(directory);
            return new FitCheckpoints(directory, options, now, channel, taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>The checkpoints of the training of one network.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="drawsFromProcess">Whether it may draw from TorchSharp's process-wide generator.</param>
    /// <param name="teacherBegins">Called when a stage has begun with its teacher.</param>
    /// <param name="continues">Called with the number of epochs that had ended where a training continues.</param>
    public RunCheckpoints Of(string role, bool drawsFromProcess, Action<int, StageTeacher, ModelOutputs>? teacherBegins, Action<int> continues) => new(_directory, role, _options, warning => _channel.Warning($"{warning}"))
    {
        DrawsFromProcess = drawsFromProcess,
        TeacherBegins = teacherBegins ?? ((_, _, _) => { }),
        Continues = epochs =>
        {
            _channel.Info($"The training of the {role} continues from the checkpoint after {NumberText.Count(epochs, "epoch")} in '{_directory}'.");
            continues(epochs);
        },
    };

    /// <summary>Copies the weights that the student starts from, if it starts from those of an earlier training.</summary>
    /// <exception cref="InvalidOperationException">They are those of another network.</exception>
    public void Start(Network student)
    {
        if (!IsWarmStart)
            return;
        var path = Path.Combine(_directory, StartName);
        using var saved = new SavedState(CheckpointFiles.Read(path));
        try
        {
            saved.CopyWeights(student);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidOperationException(
                $"The student cannot start from the weights in '{path}', which are those of another network: {e.Message} Use ChangedTraining.StartOver, or the network of that training.", e);
        }
    }

    /// <summary>Compares answers of the teacher with those of the training that is continued, or keeps them.</summary>
    /// <exception cref="InvalidOperationException">The teacher answers otherwise than before.</exception>
    public void CheckTeacher(TeacherSample answers) => answers.Check(Path.Combine(_directory, $"teacher-{AnswersName}"), _directory);

    /// <summary>Compares the answers of a route's anchors when a stage begins with them; those that are not reached yet may not be fitted.</summary>
    /// <param name="name">The name of the route.</param>
    /// <param name="set">All rows.</param>
    /// <param name="batchSize">Rows asked about at a time.</param>
    /// <returns>What is called when a stage begins.</returns>
    public Action<int, StageTeacher, ModelOutputs> CheckAnchors(string name, IRowSource set, int batchSize) => (stage, teacher, needs) =>
    {
        foreach (var (i, anchor) in teacher.QueriedTeachers.Index())
        {
            using var scope = NewDisposeScope();
            var isOwn = ReferenceEquals(anchor, teacher);
            // One that is used later in the stage.
            if (!isOwn)
                anchor.Begin(set, needs, null);
            TeacherSample.Ask(name, anchor, needs, set, batchSize).Check(Path.Combine(_directory, Invariant($"stage-{stage}-anchor-{i + 1}-{AnswersName}")), _directory);
            if (!isOwn)
                anchor.End();
        }
    };

    public void Dispose() => _lock.Dispose();

    private static DirectoryLock Lock(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return DirectoryLock.Take(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var advice = WriteFailure.IsPossible(e) ? WriteFailure.Advice(directory, e) : "Give the path of a folder.";
            throw new InvalidOperationException($"The checkpoint directory '{directory}' cannot be written: {e.Message.TrimEnd('.')}. {advice}", e);
        }
    }

    /// <summary>Deletes the checkpoints of another training, if the options say so.</summary>
    private static void Change(string directory, CheckpointOptions options, string[] differences, IChannel channel)
    {
        var text = string.Join("; ", differences.Take(ListedDifferences)) + (differences.Length > ListedDifferences ? $"; and {differences.Length - ListedDifferences} more" : "");
        if (options.WhenChanged == ChangedTraining.Refuse)
        {
            throw new InvalidOperationException(
                $"The checkpoints in '{directory}' are those of another training: {text}. To continue that training, give its options, rows and teacher; else give another " +
                "CheckpointDirectory, or set Checkpoints.WhenChanged to StartOver, which deletes them, or to WarmStart, which starts from the student's weights in them.");
        }

        // Without its description, the directory is no training that could be continued.
        File.Delete(Path.Combine(directory, FitDescription.FileName));
        if (options.WhenChanged == ChangedTraining.WarmStart)
            KeepStart(directory);
        foreach (var file in CheckpointFiles.FindAll(directory).Concat(Directory.GetFiles(directory, $"*-{AnswersName}")))
            File.Delete(file);
        if (Directory.Exists(Path.Combine(directory, RouteName)))
            Directory.Delete(Path.Combine(directory, RouteName), recursive: true);
        channel.Warning($"The checkpoints in '{directory}' were those of another training ({text}), and were deleted; the training begins anew{(options.WhenChanged == ChangedTraining.WarmStart ? " with the weights of that one's student" : "")}.");
    }

    private static void KeepStart(string directory)
    {
        var start = Path.Combine(directory, StartName);
        if (CheckpointFiles.Find(directory, FitNetworks.StudentRole) is [var last, ..])
            File.Move(last, start, overwrite: true);
        else if (!File.Exists(start))
            throw new InvalidOperationException($"'{directory}' has no checkpoint of a student, so there are no weights to start from. Use ChangedTraining.StartOver.");
    }
}
