using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Everything a teacher may need to answer for the rows of a fit.</summary>
internal sealed record TeacherRequest(
    MLContext Context,
    IChannel Channel,
    IDataView Data,
    TrainerColumns Columns,
    IRowSource Set,
    DistillationOptions Options,
    Seeds Seeds,
    Device Device,
    INetworkTrainer Networks,
    TeacherCaching TeacherCaching)
{
    /// <summary>Hash of the columns that teachers read beside the student's features; null where nothing is recorded for later.</summary>
    public string? TeacherData { get; init; }

    /// <summary>What a network trained for this answer is called in logs, and what its draws are seeded with.</summary>
    public string Role { get; init; } = TrainedTeacher.Role;

    /// <summary>Writes a warning to the log of the fit.</summary>
    public void Warn(string message) => Channel.Warning($"{message}");
}

/// <summary>
/// The anchors that answer for the rows of a fit (one, but for a route), and the last one as an ML.NET model: the model that was given or fitted
/// (null where several were, one for each fold), or the network that was trained and is yet to be exported.
/// </summary>
internal sealed record PreparedTeacher(IReadOnlyList<Anchor> Anchors, ITransformer? Model, Network? Network = null, NetworkSpec? NetworkSpec = null) : IDisposable
{
    public StageTeacher Teacher => Anchors[^1].Teacher;

    /// <summary>What else is disposed with the answer.</summary>
    public IReadOnlyList<IDisposable> Owned { get; init; } = [];

    public void Dispose()
    {
        foreach (var anchor in Anchors)
            (anchor.Teacher as IDisposable)?.Dispose();
        foreach (var owned in Owned)
            owned.Dispose();
    }
}
