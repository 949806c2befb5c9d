using MlNetDistill.Networks;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>The embeddings before the last layer of checkpoints of one network.</summary>
/// <param name="spec">The network.</param>
/// <param name="paths">The files, in the order of training.</param>
internal sealed class CheckpointEmbeddings(NetworkSpec spec, IReadOnlyList<string> paths) : EmbeddingTeacher
{
    internal override string Name => $"{paths.Count} checkpoints of {spec.Name}";

    internal override bool IsRoute => true;

    internal override bool SupportsAugmentation => true;

    internal override bool GivesStageFeatures => true;

    internal override IEnumerable<string> Validate() =>
    [
        .. paths.Count == 0 ? ["A route needs at least one checkpoint."] : Array.Empty<string>(),
        .. paths.Any(string.IsNullOrWhiteSpace) ? ["Every checkpoint of a route needs a path; one is empty."] : Array.Empty<string>(),
        .. spec.Validate().Select(fault => $"Route: {fault}"),
    ];

    internal override IReadOnlyList<OpenEmbeddings> Open(EmbeddingRequest request)
    {
        // Every file is read now, so that a damaged one is found before the training.
        var files = paths.Select(path => (Path: path, File: CheckpointFile.Read(path))).ToList();
        CheckpointRoute.CheckRun([.. files.Select(file => (file.Path, file.File.Description))]);
        return OpenEmbeddings.OpenAll(files, (file, _) => Open(file.Path, file.File, request));
    }

    private OpenEmbeddings Open(string path, CheckpointFile file, EmbeddingRequest request)
    {
        var description = file.Description;
        if (description.FindDifference(spec, description.Input) is { } difference)
            throw new InvalidOperationException($"The checkpoint '{path}' {difference}.");
        var network = spec.Build(description.Input, description.ClassCount, seed: 0);
        try
        {
            file.Load(network);
            var opened = FromNetwork(network.to(request.Set.Device)).Open(request)[0];
            return opened with { Label = Invariant($"epoch {description.Epoch}"), Epoch = description.Epoch, Owned = [.. opened.Owned, network] };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
