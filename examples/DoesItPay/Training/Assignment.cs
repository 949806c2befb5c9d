using DoesItPay.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Methods;
using MlNetDistill.Training;

namespace DoesItPay.Training;

/// <summary>What a student is trained from, whichever way: rows, size, seed, and what earlier work found.</summary>
internal sealed record Assignment
{
    public required MLContext MlContext { get; init; }

    public required Views Views { get; init; }

    public required Sample Sample { get; init; }

    public required int Size { get; init; }

    public required int Seed { get; init; }

    /// <summary>Passes over the training rows; null for the library's default.</summary>
    public required int? Epochs { get; init; }

    /// <summary>Passes of the student alone, so that it has as many steps as the distilled ones; null if they are not compared at equal steps.</summary>
    public required int? EpochsAlone { get; init; }

    /// <summary>The setting that a search on the labelled rows chose for the student alone.</summary>
    public required Lazy<AloneSetting> Searched { get; init; }

    /// <summary>The settings that the library's search chose for a teacher, by its name.</summary>
    public required Func<string, DistillationOptions> SearchedDistill { get; init; }

    public required IProgress<TrainingProgress> Progress { get; init; }

    /// <summary>Settings that all ways have in common; everything else is the library's default.</summary>
    public DistillationOptions Options(int? epochs)
    {
        var options = new DistillationOptions
        {
            Student = Views.Set.Student(Size),
            LabelColumnName = "Class",
            Seed = Seed,
        };
        return epochs is { } given ? options with { Epochs = given } : options;
    }

    /// <summary>The student alone.</summary>
    public DistillationOptions Alone(int? epochs) => Options(epochs) with { Method = DistillationMethod.LabelsOnly() };

    /// <summary>The student that learns from a teacher, and from rows without labels if the sample has any.</summary>
    public DistillationOptions Taught() =>
        Options(Epochs) with { MissingLabels = Sample.Unlabelled.Length > 0 ? MissingLabels.TeacherOnly : MissingLabels.Error };

    /// <summary>Fits the encoding and the student on some rows.</summary>
    /// <returns>The whole pipeline.</returns>
    public ITransformer Fit(DistillationOptions options, IDataView rows) =>
        Views.Encoding().Append(MlContext.MulticlassClassification.Trainers.Distill(options with { Progress = Progress, CancellationToken = Interruption.Token })).Fit(rows);
}
