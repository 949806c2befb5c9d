using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Export;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;

namespace MlNetDistill.Fitting;

/// <summary>Measures the size of student and teacher, and their times for a row in the same way: in ML.NET if the teacher is one of its models, else as networks in torch.</summary>
/// <param name="context">Saves the teacher.</param>
/// <param name="options">The settings of the fit.</param>
/// <param name="set">The rows.</param>
/// <param name="device">Where networks run. A time on a GPU is not compared with one on the CPU.</param>
/// <param name="schema">The columns of the data.</param>
/// <param name="measureExported">Measures the exported student, untrained.</param>
internal sealed class CostMeasures(MLContext context, DistillationOptions options, IRowSource set, torch.Device device, DataViewSchema schema, Func<TimeSpan> measureExported)
{
    /// <summary>The teacher; null if there is none yet.</summary>
    public PreparedTeacher? Teacher { get; init; }

    /// <summary>Time of a row in the pass in which its outputs were cached; null if that is unknown.</summary>
    public TimeSpan? TimeOfPass { get; init; }

    /// <param name="student">The student, untrained.</param>
    /// <param name="quality">The teacher's quality, with its time for a row.</param>
    /// <param name="teacher">The teacher's last anchor.</param>
    public TeacherCosts Run(Network student, PreflightTeacher? quality, StageTeacher? teacher)
    {
        var teacherTime = quality is null || teacher is null ? null : teacher.HasCachedOutputs ? TimeOfPass : quality.TimePerRow;
        return new TeacherCosts(
            student.ParameterCount * sizeof(float),
            MeasureTeacher(),
            teacherTime is null ? null : teacher!.NeedsPassPerQuery ? measureExported() : MeasureNetwork(student),
            teacherTime,
            LinearTeacher.Is(Teacher?.Model),
            set.Shape.Length);
    }

    private long? MeasureTeacher() => Teacher switch
    {
        { FileBytes: { } bytes } => bytes,
        { Network: { } network } => network.ParameterCount * sizeof(float),
        { Model: { } model } => ModelSize.TryMeasure(context, model, schema),
        _ => null,
    };

    private TimeSpan? MeasureNetwork(Network student)
    {
        if (device.type != DeviceType.CPU)
            return null;
        using var scope = torch.NewDisposeScope();
        var positions = SpreadPositions.Create(set.Count, options.BatchSize, set.Device);
        var fastest = TimeSpan.MaxValue;
        for (var pass = 0; pass < 3; pass++)
        {
            var start = Stopwatch.GetTimestamp();
            Scoring.Logits(student, set, positions, options.BatchSize).sum().item<float>();
            fastest = Stopwatch.GetElapsedTime(start) is var time && time < fastest ? time : fastest;
        }

        return fastest / positions.shape[0];
    }
}
