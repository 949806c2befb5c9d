using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>What a <see cref="CustomTeacher"/> may use in a fit.</summary>
public sealed class TeacherContext
{
    private readonly TeacherRequest _request;

    internal TeacherContext(TeacherRequest request) => _request = request;

    /// <summary>The context of the fit.</summary>
    public MLContext MLContext => _request.Context;

    /// <summary>The rows of the fit with all their columns. The id that a cursor gives for a row is that in <see cref="Set"/>.</summary>
    public IDataView Data => _request.Data;

    /// <summary>The same rows as the student reads them: features, labels and ids. It must not be disposed.</summary>
    public IRowSource Set => _request.Set;

    /// <summary>The student's classes in the order of its logits; null where the label keys have no values.</summary>
    public IReadOnlyList<string>? ClassNames => _request.Columns.Classes.Names;

    /// <summary>Number of the student's classes.</summary>
    public int Classes => _request.Columns.Classes.Count;

    /// <summary>Rows of a batch.</summary>
    public int BatchSize => _request.Options.BatchSize;

    /// <summary>Where training computes, and the features of batches are.</summary>
    public Device Device => _request.Device;

    /// <summary>Cancels the fit.</summary>
    public CancellationToken CancellationToken => _request.Options.CancellationToken;

    /// <summary>Writes a line to the log of the fit.</summary>
    public void Log(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        _request.Channel.Info($"{message}");
    }

    /// <summary>Writes a warning to the log of the fit, and to the report.</summary>
    public void Warn(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        _request.Channel.Warning($"{message}");
    }
}
