using System.Globalization;
using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>Checkpoints of one network, read from files.</summary>
internal sealed class CheckpointRoute(NetworkSpec spec, IReadOnlyList<string> paths) : Teacher
{
    public override bool IsRoute => true;

    internal override bool IsReady => true;

    internal override string Name => $"{paths.Count} checkpoints of {spec.Name}";

    internal override bool SupportsAugmentation => true;

    internal override bool CanBeTrained => true;

    internal override ModelOutputs CanProvide => NetworkKinds;

    internal override bool ShowsLastLayer => true;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [spec];

    internal override IEnumerable<NetworkSpec> ExportedNetworks => [];

    internal override IEnumerable<string> Validate()
    {
        if (paths.Count == 0)
            yield return "A route needs at least one checkpoint.";
        if (paths.Any(string.IsNullOrWhiteSpace))
            yield return "Every checkpoint of a route needs a path; one is empty.";
        else if (paths.Select(GetEpoch).ToList() is var epochs && epochs.Zip(epochs.Skip(1)).Any(pair => pair.First >= pair.Second))
        {
            yield return $"The epochs of a route's checkpoints must rise; by their names they are {string.Join(", ", epochs)}. " +
                "List the files in the order of training, or give one of them another name.";
        }

        foreach (var fault in spec.Validate())
            yield return $"Route: {fault}";
    }

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema)
    {
        var first = CheckpointFile.Read(paths[0]).Description;
        return first.Classes is { } names ? ClassColumn.FromNames(names) : ClassColumn.FromCount(first.ClassCount);
    }

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        // Every file is read now, so that a damaged one is found before the training.
        var checkpoints = paths.Select(path => (Path: path, File: CheckpointFile.Read(path))).Select(c => (c.Path, c.File.Description, c.File.Hash)).ToList();
        CheckRun([.. checkpoints.Select(c => (c.Path, c.Description))]);
        var (path, first, _) = checkpoints[0];
        var input = request.Networks.GetInput(spec);
        if (first.FindDifference(spec, input) is { } difference)
            throw new InvalidOperationException($"The checkpoint '{path}' {difference}.");
        var order = MatchClasses(first, path, request);
        WarnOfShift(first, request);
        // Its input is scaled as in its own training, not by the rows of this fit.
        var scaled = first.Input with { IsInterleaved = input.IsInterleaved };
        var shared = new SharedNetwork(request.Networks.BuildOnDevice(spec, "checkpoints", scaled));
        try
        {
            foreach (var checkpoint in checkpoints)
                CreateLoader(checkpoint.Path, checkpoint.Hash)(shared.Network);
            var anchors = checkpoints.Select(c => new Anchor(
                Path.GetFileNameWithoutExtension(c.Path), c.Description.Epoch, new CheckpointTeacher(shared, CreateLoader(c.Path, c.Hash), request.TeacherCaching)
                {
                    IsPreviewed = true,
                    BuildSame = () => request.Networks.BuildOnDevice(spec, NetworkTraining.CopyPurpose, scaled),
                    ReorderClasses = order.IsSame ? null : order.Apply,
                    ReordersOnly = order.IsSelection && order.Unseen.Count == 0,
                    Order = order.IsSame ? "" : $"{order}",
                }));
            return new PreparedTeacher([.. anchors], null) { Owned = [shared] };
        }
        catch
        {
            shared.Dispose();
            throw;
        }
    }

    private static Action<Network> CreateLoader(string path, byte[] hash) => network => CheckpointFile.ReadAgain(path, hash).Load(network);

    /// <summary>Checks that checkpoints are of one training, in its order.</summary>
    /// <exception cref="InvalidOperationException">They are not; the message names two of them.</exception>
    internal static void CheckRun(IReadOnlyList<(string Path, CheckpointDescription Description)> checkpoints)
    {
        var (path, first) = checkpoints[0];
        if (checkpoints.FirstOrDefault(c => c.Description.Run != first.Run) is { Path: { } other, Description: var second })
        {
            throw new InvalidOperationException(
                $"The checkpoints '{path}' (run {first.Run}) and '{other}' (run {second.Run}) are of two trainings; a route needs the checkpoints of one. " +
                "List the files of one run.");
        }

        foreach (var (before, after) in checkpoints.Zip(checkpoints.Skip(1)).Where(pair => pair.First.Description.Epoch >= pair.Second.Description.Epoch))
        {
            throw new InvalidOperationException(Invariant(
                $"The checkpoint '{after.Path}' is of epoch {after.Description.Epoch}, and '{before.Path}', which is listed before it, of epoch {before.Description.Epoch}. ") +
                "List the files in the order of training.");
        }
    }

    /// <summary>Matches classes by name: the label column of another file may have them in another order.</summary>
    private static ClassOrder MatchClasses(CheckpointDescription checkpoint, string path, TeacherRequest request)
    {
        var student = request.Columns.Classes;
        if (checkpoint.Classes is null && student.Names is { } names)
        {
            throw new InvalidOperationException(
                $"The checkpoint '{path}' was trained on a label column whose {checkpoint.ClassCount} keys have no values, and classes are never matched by position: " +
                $"those of the label column here are {ClassAlignment.Listed(names)}. Train the route anew on this label column.");
        }

        return new ClassAlignment(new ScoreSpec(ScoreKind.Logits) { Place = $"checkpoint '{path}'" }).Match(checkpoint.ClassCount, checkpoint.Classes, student);
    }

    private static void WarnOfShift(CheckpointDescription checkpoint, TeacherRequest request)
    {
        if (FeatureShift.Describe(checkpoint.Features, request.Networks.FeatureStatistics) is { } shift)
        {
            request.Channel.Warning(
                $"The features are on another scale than those that the checkpoints were trained on ({shift}), so the checkpoints score values unlike those of their training. Give features that are normalised by the same fitted steps.");
        }
    }

    /// <summary>The epoch in the name of a file that <see cref="TrainedRoute"/> wrote; null for another name. A comparison with null is false.</summary>
    private static int? GetEpoch(string path) =>
        Path.GetFileNameWithoutExtension(path) is var name && name.StartsWith(TrainedRoute.FilePrefix, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(TrainedRoute.FilePrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && epoch > 0
            ? epoch
            : null;
}
