using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Everything that a teacher needs of a fit.</summary>
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
    /// <summary>Hash of the columns that teachers read in addition to the student's features; null if nothing is cached for later runs.</summary>
    public string? TeacherData { get; init; }

    /// <summary>Ids of the rows of <see cref="Given"/> that are held out to judge by: a teacher that is fitted here is not fitted on them.</summary>
    public IReadOnlySet<RowId> HeldOut { get; init; } = new HashSet<RowId>();

    /// <summary>A view without the held-out rows.</summary>
    public IDataView WithoutHeldOut(IDataView view) => HeldOut.Count == 0 ? view : new FilteredRows(view, id => !HeldOut.Contains(id));

    /// <summary>The rows that a teacher may be fitted on: <see cref="Data"/> without transfer rows.</summary>
    public IDataView Given { get; init; } = Data;

    /// <summary>The rows of <see cref="Data"/> that are not <see cref="Given"/>; null for none.</summary>
    public IDataView? Transfer { get; init; }

    /// <summary>The name, in logs, of a network that is trained; it also seeds its random draws.</summary>
    public string Role { get; init; } = TrainedTeacher.Role;

    /// <summary>The name of its checkpoints: of several teachers of a fit, each has its own.</summary>
    public string CheckpointName { get; init; } = TrainedTeacher.Role;

    /// <summary>Writes a warning to the log of the fit.</summary>
    public void Warn(string message) => Channel.Warning($"{message}");
}

/// <summary>
/// A teacher that is ready for the rows of a fit: its anchors (one, except for a route), and the last one as an ML.NET model. This is the model that was given or
/// fitted (null if one was fitted for each fold), or the trained network, which is exported later.
/// </summary>
internal sealed record PreparedTeacher(IReadOnlyList<Anchor> Anchors, ITransformer? Model, Network? Network = null, NetworkSpec? NetworkSpec = null) : IDisposable
{
    public StageTeacher Teacher => Anchors[^1].Teacher;

    /// <summary>Bytes of the file that it was read from; null if it was not, or they are unknown.</summary>
    public long? FileBytes { get; init; }

    /// <summary>What else is disposed with the teacher.</summary>
    public IReadOnlyList<IDisposable> Owned { get; init; } = [];

    public void Dispose()
    {
        foreach (var anchor in Anchors)
            (anchor.Teacher as IDisposable)?.Dispose();
        foreach (var owned in Owned)
            owned.Dispose();
    }
}
