using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Export;
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
    private const string RouteName = "route";
    private const int ListedDifferences = 3;

    // Only those matter that were killed before they began to train a route.
    private const int MostReplaced = 10;

    private readonly string _directory;
    private readonly CheckpointOptions _options;
    private readonly FitDescription _description;
    private readonly IChannel _channel;
    private readonly DirectoryLock _lock;
    private readonly Action? _create;
    private readonly HashSet<string> _roles = [];

    private FitCheckpoints(string directory, CheckpointOptions options, FitDescription description, IChannel channel, DirectoryLock taken, Action? create) =>
        (_directory, _options, _description, _channel, _lock, _create) = (directory, options, description, channel, taken, create);

    /// <summary>Where the checkpoints of a route that is trained in the fit are kept, and the name of the run in them.</summary>
    public KeptRoute Route => new(Path.Combine(Folder, RouteName), _description.Run) { Replaced = _description.Replaced ?? [] };

    private string Folder => RunFolders.PathOf(_directory, _description.Run);

    /// <summary>Whether the student starts from the weights of an earlier training.</summary>
    public bool IsWarmStart => _description.IsWarmStart;

    /// <summary>Opens a directory for a fit, and creates it if it does not exist. What is there stays as it is until <see cref="Begin"/>.</summary>
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
            if (kept is null)
                RunFolders.CheckUnused(directory);
            string[] differences = kept is null ? [] : [.. kept.FindDifferences(now)];
            if (kept is not null && differences.Length == 0)
                return new FitCheckpoints(directory, options, kept, channel, taken, null);
            var text = string.Join("; ", differences.Take(ListedDifferences)) + (differences.Length > ListedDifferences ? Invariant($"; and {differences.Length - ListedDifferences} more") : "");
            if (kept is not null)
                now = Replace(directory, options, kept, now, text);
            return new FitCheckpoints(directory, options, now, channel, taken, () => Create(directory, kept, now, text, context, schema, channel));
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Before the first training, when all is known to be right: a training that is another one than that in the directory replaces it, and what is left of others is deleted.
    /// </summary>
    public void Begin()
    {
        _create?.Invoke();
        RunFolders.DeleteOthers(_directory, _description.Run, Warn);
    }

    /// <summary>The checkpoints of the training of one network.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="drawsFromProcess">Whether it may draw from TorchSharp's process-wide generator.</param>
    /// <param name="teacherBegins">Called when a stage has begun with its teacher.</param>
    /// <param name="continues">Called with the number of epochs that had ended where a training continues.</param>
    public RunCheckpoints Of(string role, bool drawsFromProcess, Action<int, StageTeacher, ModelOutputs>? teacherBegins, Action<int> continues)
    {
        if (!_roles.Add(role))
            throw new InvalidOperationException($"Two networks of the fit would have the same checkpoints, '{role}'.");
        return new(Folder, role, _options, Warn)
        {
            DrawsFromProcess = drawsFromProcess,
            TeacherBegins = teacherBegins ?? ((_, _, _) => { }),
            Continues = (epochs, ended) =>
            {
                var count = NumberText.Count(epochs, "epoch");
                _channel.Info($"{(ended ? $"The {role} was trained before, in {count}: its last checkpoint is used" : $"The training of the {role} continues from the checkpoint after {count}")}, in '{_directory}'.");
                continues(epochs);
            },
        };
    }

    /// <summary>Copies the weights that the student starts from, if it starts from those of an earlier training.</summary>
    public void Start(Network student)
    {
        if (IsWarmStart)
            WarmStart.Apply(Folder, student);
    }

    /// <summary>Compares answers of the teacher with those of the training that is continued, or keeps them.</summary>
    /// <exception cref="InvalidOperationException">The teacher answers otherwise than before.</exception>
    public void CheckTeacher(TeacherSample answers) => answers.Check(Path.Combine(Folder, $"teacher-{AnswersName}"), Warn);

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
            // One that is used later in the stage. Its answers for all rows are computed then, and need not be computed now too.
            var begins = !isOwn && !anchor.AnswersBeforeStage;
            if (begins)
                anchor.Begin(set, needs, null);
            TeacherSample.Ask(name, anchor, needs, set, batchSize).Check(Path.Combine(Folder, Invariant($"stage-{stage}-anchor-{i + 1}-{AnswersName}")), Warn);
            if (begins)
                anchor.End();
        }
    };

    public void Dispose() => _lock.Dispose();

    private void Warn(string warning) => _channel.Warning($"{warning}");

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

    /// <summary>A training that replaces another one.</summary>
    private static FitDescription Replace(string directory, CheckpointOptions options, FitDescription kept, FitDescription now, string differences)
    {
        if (options.WhenChanged == ChangedTraining.Refuse)
        {
            throw new InvalidOperationException(
                $"The checkpoints in '{directory}' are those of another training: {differences}. To continue that training, give its options, rows and teacher; else give another " +
                "CheckpointDirectory, or set Checkpoints.WhenChanged to StartOver, which deletes them, or to WarmStart, which starts from the student's weights in them.");
        }

        now = now with { Replaced = [.. (kept.Replaced ?? []).Append(kept.Run).TakeLast(MostReplaced)] };
        if (options.WhenChanged != ChangedTraining.WarmStart)
            return now;
        WarmStart.Check(kept.Student, now.Student);
        return now with { IsWarmStart = true };
    }

    /// <summary>Begins a training in the directory. What was there stays valid until the description is replaced, which is one step.</summary>
    private static void Create(string directory, FitDescription? kept, FitDescription now, string differences, MLContext context, DataViewSchema schema, IChannel channel)
    {
        var folder = WriteFailure.CreateFolder(RunFolders.PathOf(directory, now.Run), "the checkpoints");
        if (now.IsWarmStart)
            WarmStart.Keep(RunFolders.PathOf(directory, kept!.Run), folder);
        ModelSaving.UseFolder(context.TempFilePath, temporary => AtomicFile.Write(
            Path.Combine(folder, SchemaName), stream => ModelSaving.SaveWithin(temporary, new TransformerChain<ITransformer>(), schema, stream), "the schema of the training's rows"));
        now.Write(directory);
        if (kept is not null)
        {
            var start = now.IsWarmStart ? " with the weights of that one's student" : "";
            channel.Warning($"The checkpoints in '{directory}' were those of another training ({differences}), and are deleted; the training begins anew{start}.");
        }
    }
}
