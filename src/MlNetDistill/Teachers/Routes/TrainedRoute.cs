using System.Globalization;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>A network that is trained in the fit, with its checkpoints as anchors.</summary>
internal sealed class TrainedRoute(NetworkTraining training, int every, string? folder) : Teacher
{
    /// <summary>How the names of checkpoint files begin; the epoch follows.</summary>
    public const string FilePrefix = "anchor-";

    private const string FileEnd = ".weights";

    public override bool IsRoute => true;

    internal override bool SupportsAugmentation => true;

    internal override bool CanBeTrained => true;

    internal override SeenRows Seen => SeenRows.Training;

    internal override bool NeedsLabels => true;

    internal override ModelOutputs CanProvide => NetworkKinds;

    internal override bool ShowsLastLayer => true;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [training.Spec];

    internal override IEnumerable<string> Settings => [training.Describe(), Invariant($"a checkpoint every {every} epochs")];

    // If early stopping ends the training earlier, the last anchor is another one.
    internal override IEnumerable<Anchor> PlanAnchors(TeacherRequest request)
    {
        CheckFolder(request.Networks.Route);
        var shapes = request.Networks.GetShapes(training.Spec);
        var last = training.GetEpochs(request.Options);
        return Enumerable.Range(1, last)
            .Where(epoch => epoch == last || epoch % every == 0)
            .Select(epoch => PlanAnchor(Label(epoch, epoch == last), epoch, shapes));
    }

    internal override IEnumerable<string> Validate()
    {
        if (every < 1)
            yield return Invariant($"The route's checkpoints must be at least 1 epoch apart; 'every' was {every}.");
        if (folder is not null && string.IsNullOrWhiteSpace(folder))
            yield return "The route's folder must be a path, or null to keep its checkpoints in memory; was empty.";
        foreach (var fault in training.Validate("route"))
            yield return fault;
    }

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var options = request.Options;
        var checkpoints = new List<(int Epoch, Action<Network> Load)>();
        var owned = new List<IDisposable>();
        var kept = request.Networks.Route;
        var into = folder ?? kept?.Folder;
        CheckFolder(kept);
        CreateFolder(into);
        DeleteReplaced(kept, request);
        var run = kept?.Run ?? $"{Guid.NewGuid():N}";
        var last = 0;
        try
        {
            var plan = training.CreatePlan(options) with
            {
                AfterEpoch = (epoch, network) =>
                {
                    if (epoch % every == 0)
                        checkpoints.Add((epoch, Keep(network, epoch)));
                    last = epoch;
                },
                Continues = epochs =>
                {
                    checkpoints.AddRange(Enumerable.Range(1, epochs).Where(epoch => epoch % every == 0).Select(epoch => (epoch, ReadKept(PathOf(into!, epoch), run))));
                    last = epochs;
                },
            };
            var network = request.Networks.Train(plan);
            owned.Add(network);
            // The trained network, of its best or last epoch, is the last anchor and replaces the checkpoint of the last epoch.
            checkpoints.RemoveAll(c => c.Epoch == last);
            var final = Keep(network, last);
            var shared = new SharedNetwork(request.Networks.BuildOnDevice(training.Spec, "checkpoints"));
            owned.Add(shared);
            var caching = request.TeacherCaching.WithoutFolder();
            Anchor CreateAnchor(int epoch, string label, Action<Network> load) => new(label, epoch, new CheckpointTeacher(shared, load, caching)
            {
                BuildSame = () => request.Networks.BuildOnDevice(training.Spec, NetworkTraining.CopyPurpose),
            });
            request.Channel.Info($"The route has {checkpoints.Count + 1} anchors: epochs {string.Join(", ", checkpoints.Select(c => c.Epoch).Append(last))}.");
            return new PreparedTeacher(
                [.. checkpoints.Select(c => CreateAnchor(c.Epoch, Label(c.Epoch, false), c.Load)), CreateAnchor(last, Label(last, true), final)], null, network, training.Spec)
            {
                Owned = owned,
            };
        }
        catch
        {
            owned.ForEach(o => o.Dispose());
            throw;
        }

        // Keeps the weights, and returns a function that loads them into a network.
        Action<Network> Keep(Network network, int epoch)
        {
            if (into is not null)
            {
                var description = CheckpointDescription.Create(run, epoch, training.Spec, network, request.Columns.Classes, request.Networks.FeatureStatistics);
                try
                {
                    return KeepInFile(PathOf(into, epoch), description, network);
                }
                catch (Exception e) when (folder is null && e is IOException or UnauthorizedAccessException)
                {
                    request.Warn($"The route's checkpoint of epoch {NumberText.Join([epoch])} is kept in memory, so a training that is interrupted could not use it: {e.Message}");
                }
            }

            var weights = new NetworkWeights(network);
            owned.Add(weights);
            return weights.Restore;
        }
    }

    private static string Label(int epoch, bool isFinal) => isFinal ? $"epoch {epoch} (final)" : $"epoch {epoch}";

    private static string PathOf(string folder, int epoch) => Path.Combine(folder, Invariant($"{FilePrefix}{epoch:0000}{FileEnd}"));

    // Of a training that was interrupted.
    private static Action<Network> ReadKept(string path, string run)
    {
        var file = CheckpointFile.Read(path);
        if (file.Description.Run != run)
            throw CreateOccupiedError(Path.GetDirectoryName(path)!, [path]);
        return into => CheckpointFile.ReadAgain(path, file.Hash).Load(into);
    }

    private static Action<Network> KeepInFile(string path, CheckpointDescription description, Network network)
    {
        // The checkpoint of the last epoch is replaced if another epoch was the best.
        if (File.Exists(path) && CheckpointFile.Read(path).Description.Run != description.Run)
            throw CreateOccupiedError(Path.GetDirectoryName(path)!, [path]);
        var hash = CheckpointFile.Write(path, description, DistilledStudent.WeightsOf(network));
        return into => CheckpointFile.ReadAgain(path, hash).Load(into);
    }

    private static void CreateFolder(string? into)
    {
        if (into is null)
            return;
        try
        {
            Directory.CreateDirectory(into);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidOperationException(
                $"The folder '{into}' for the route's checkpoints cannot be written: {e.Message} Give one that this user may write to, or null to keep them in memory.", e);
        }
    }

    /// <summary>Throws if the folder has checkpoints of another run, which this one does not replace: those of two runs would be read as one route.</summary>
    private void CheckFolder(KeptRoute? kept)
    {
        string[] others = [.. FindOthers(kept).Where(other => !other.IsReplaced).Select(other => other.Path)];
        if (others.Length > 0)
            throw CreateOccupiedError(folder!, others);
    }

    /// <summary>Deletes the checkpoints of runs that this one replaces.</summary>
    private void DeleteReplaced(KeptRoute? kept, TeacherRequest request)
    {
        string[] replaced = [.. FindOthers(kept).Where(other => other.IsReplaced).Select(other => other.Path)];
        if (replaced.Length == 0)
            return;
        foreach (var path in replaced)
            File.Delete(path);
        request.Warn($"{NumberText.Count(replaced.Length, "checkpoint")} of the training that this one replaces {(replaced.Length == 1 ? "was" : "were")} in the route's folder '{folder}', and {(replaced.Length == 1 ? "is" : "are")} deleted.");
    }

    // Those in the folder that are not of this run.
    private IEnumerable<(string Path, bool IsReplaced)> FindOthers(KeptRoute? kept)
    {
        foreach (var path in folder is null || !Directory.Exists(folder) ? [] : Directory.GetFiles(folder, $"{FilePrefix}*{FileEnd}"))
        {
            var run = kept is null ? null : CheckpointFile.Read(path).Description.Run;
            if (run is null || run != kept!.Run)
                yield return (path, run is not null && kept!.Replaced.Contains(run));
        }
    }

    private static InvalidOperationException CreateOccupiedError(string folder, string[] files) => new(
        $"The route's folder '{folder}' holds checkpoints of another run ({Path.GetFileName(files.Min(StringComparer.Ordinal))}" +
        $"{(files.Length > 1 ? string.Create(CultureInfo.InvariantCulture, $" and {files.Length - 1} more") : "")}), which would mix with this one's. Give each run a folder of its own, " +
        "take these files away, learn from them with Route.FromCheckpoints, or leave the folder out to keep the checkpoints in memory, as in CrossValidate.");
}
