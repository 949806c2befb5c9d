using System.Globalization;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>Checkpoints of one network, from files.</summary>
internal sealed class CheckpointRoute(NetworkSpec spec, IReadOnlyList<string> paths) : Teacher
{
    public override bool IsRoute => true;

    internal override bool IsReady => true;

    internal override string Name => $"{paths.Count} checkpoints of {spec.Name}";

    internal override bool SeesViews => true;

    internal override OutputKinds CanProvide => NetworkKinds;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [spec];

    internal override IEnumerable<NetworkSpec> ExportedNetworks => [];

    // By name where all are named as Route.Train names them, else by place.
    private IReadOnlyList<int> Epochs => paths.Select(EpochOf).ToList() is var named && named.All(epoch => epoch is not null)
        ? [.. named.Select(epoch => epoch!.Value)]
        : [.. Enumerable.Range(1, paths.Count)];

    internal override IEnumerable<PlannedAnchor> PlannedAnchors(TeacherQuestion question) =>
        paths.Zip(Epochs, (path, epoch) => new PlannedAnchor(Path.GetFileNameWithoutExtension(path), epoch, spec));

    internal override IEnumerable<string> Faults()
    {
        if (paths.Count == 0)
            yield return "A route needs at least one checkpoint.";
        if (paths.Any(string.IsNullOrWhiteSpace))
            yield return "Every checkpoint of a route needs a path; one is empty.";
        else if (Epochs.Zip(Epochs.Skip(1)).Any(pair => pair.First >= pair.Second))
        {
            yield return $"The epochs of a route's checkpoints must rise; by their names they are {string.Join(", ", Epochs)}. " +
                "List the files in the order of training, or give one of them another name.";
        }

        foreach (var fault in spec.Faults())
            yield return $"Route: {fault}";
    }

    internal override TeacherAnswer Ask(TeacherQuestion question)
    {
        foreach (var path in paths.Where(p => !File.Exists(p)))
            throw new InvalidOperationException($"There is no checkpoint '{path}'. Route.Train with a folder writes checkpoints.");
        var shared = new SharedNetwork(question.Networks.BuildOnDevice(spec, "checkpoints"));
        try
        {
            // Every file is tried now: a broken one must not stop the student on its way.
            foreach (var path in paths)
                Load(shared.Network, path);
            var anchors = PlannedAnchors(question).Zip(paths, (planned, path) => new Anchor(
                planned.Label, planned.Epoch, new CheckpointTeacher(shared, network => Load(network, path), question.Recording)));
            return new TeacherAnswer([.. anchors], null) { Owned = [shared] };
        }
        catch
        {
            shared.Dispose();
            throw;
        }
    }

    /// <summary>The epoch in the name of a file that <see cref="TrainedRoute"/> wrote.</summary>
    private static int? EpochOf(string path) =>
        Path.GetFileNameWithoutExtension(path) is var name && name.StartsWith(TrainedRoute.FilePrefix, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(TrainedRoute.FilePrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && epoch > 0
            ? epoch
            : null;

    private void Load(Network network, string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            network.load(file);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or IOException)
        {
            throw new InvalidOperationException($"The checkpoint '{path}' does not fit {spec.Name} over these features and classes: {e.Message}", e);
        }
    }
}
