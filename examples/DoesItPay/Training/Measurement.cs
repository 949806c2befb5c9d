using System.Diagnostics;
using DoesItPay.Data;
using DoesItPay.Measured;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Evaluation;

namespace DoesItPay.Training;

/// <summary>A trained student and what its training took.</summary>
/// <param name="Model">The pipeline.</param>
/// <param name="Rows">Rows that an epoch had.</param>
/// <param name="Seconds">Time of the fit: encoding, questions to the teacher, training, export and its checks.</param>
/// <param name="Cost">Size and time of a row.</param>
internal sealed record Trained(ITransformer Model, int Rows, double Seconds, (long ZipBytes, double Microseconds) Cost)
{
    public static Trained From(Arm arm, Assignment work, FittedTeacher teacher)
    {
        var clock = Stopwatch.StartNew();
        var model = arm.Train(work, teacher);
        var seconds = clock.Elapsed.TotalSeconds;
        return new Trained(model, arm.RowsFound?.Invoke(work, teacher) ?? arm.Rows(work.Sample), seconds, Training.Cost.Measure(work.MlContext, work.Views.Set, model));
    }
}

/// <summary>Compares a student with a teacher and the labels on the test rows.</summary>
internal static class Measurement
{
    public static Run Measure(MLContext mlContext, Sample sample, Trained trained, FittedTeacher teacher, RunKey key, string settings)
    {
        var scored = trained.Model.Transform(teacher.Test);
        var metrics = mlContext.MulticlassClassification.EvaluateDistillation(
            scored, "TeacherScore", "Score", "Class", new DistillationEvaluationOptions { BootstrapReplicates = 0 });
        uint[] labels = [.. scored.GetColumn<uint>("Class")];
        var (students, teachers) = (Best(scored, "Score"), Best(scored, "TeacherScore"));
        var student = trained.Model.FindStudent().Model;
        var options = new DistillationOptions { Student = student.Spec };
        return new Run
        {
            Key = key,
            Settings = settings,
            LabelledRows = sample.Labelled.Length,
            Rows = trained.Rows,
            Epochs = student.History.Count,
            Steps = (long)student.History.Count * options.Sampling.Create(options.BatchSize).BatchesPerEpoch(trained.Rows),
            Seconds = trained.Seconds,
            Accuracy = metrics.Student!.Accuracy.Value,
            Agreement = metrics.Agreement.Value,
            Divergence = metrics.Divergence.Value,
            ZipBytes = trained.Cost.ZipBytes,
            Microseconds = trained.Cost.Microseconds,
            TeacherAccuracy = metrics.Teacher!.Accuracy.Value,
            TeacherZipBytes = teacher.Costs.ZipBytes,
            TeacherMicroseconds = teacher.Costs.Microseconds,
            Correct = Bits.ToText([.. students.Zip(labels, (best, label) => best == label)]),
            Agrees = Bits.ToText([.. students.Zip(teachers, (a, b) => a == b)]),
            TestRows = labels.Length,
            Options = [.. student.Settings.Select(setting => $"{setting.Name}: {setting.Value}"), .. student.Notes],
            Written = DateTime.UtcNow,
        };
    }

    /// <summary>The key of the class with the largest score.</summary>
    private static uint[] Best(IDataView scored, string column) => [.. scored.GetColumn<float[]>(column).Select(scores => (uint)Array.IndexOf(scores, scores.Max()) + 1)];
}
