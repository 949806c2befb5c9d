using Microsoft.ML;
using MlNetDistill.Methods;
using TorchSharp;

namespace MlNetDistill.Benchmarks;

/// <summary>Accuracy, agreement and size of a student in each precision, over seeds; calibrated with training rows, compared on test rows.</summary>
internal static class StoredPrecision
{
    private const int CalibrationRows = 1000;

    public static void Run(Arguments arguments)
    {
        torch.set_num_threads(arguments.Threads);
        var context = new MLContext(seed: 1);
        var data = DataSet.Load(context, arguments.DataSet, arguments.Data, arguments.Hidden);
        var labelled = context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(data.Train);
        var (train, test) = (labelled.Transform(context.Data.TakeRows(data.Train, arguments.Rows)), labelled.Transform(data.Test));
        var calibration = context.Data.TakeRows(train, CalibrationRows);
        var runs = new List<(StudentPrecision Precision, PrecisionResult Result)>();
        for (var seed = 0; seed < arguments.Seeds; seed++)
        {
            var model = Accuracy.Fit(context, data, train, data.Student, null, DistillationMethod.LabelsOnly(), data.StudentEpochs, 1000 + seed);
            foreach (var precision in new[] { StudentPrecision.Float16, StudentPrecision.Int8 })
            {
                var stored = model.WithPrecision(precision, new PrecisionOptions { Calibration = calibration, Test = test }).FindStudent();
                runs.Add((precision, stored.Precision!));
                Console.WriteLine($"seed {seed}: {stored.Precision}");
            }
        }

        foreach (var group in runs.GroupBy(run => run.Precision, run => run.Result))
        {
            Console.WriteLine(
                $"{data.Student.Name} {group.Key}: accuracy {Accuracy.Summary(group.Select(r => 100 * r.Accuracy!.Value))} (trained {Accuracy.Summary(group.Select(r => 100 * r.TrainedAccuracy!.Value))}), " +
                $"agreement {Accuracy.Summary(group.Select(r => 100 * r.Agreement))}, largest difference of a probability {group.Max(r => r.LargestDifference):0.0000}, " +
                $"{group.Average(r => r.Bytes):0} bytes (trained {group.Average(r => r.TrainedBytes):0})");
        }
    }
}
