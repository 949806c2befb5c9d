using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Students;

/// <summary>A student in other precisions: where it is stored, what it scores, what is recorded of it and what is refused.</summary>
public sealed class PrecisionTests
{
    private static readonly StudentPrecision[] Stored = [StudentPrecision.Float16, StudentPrecision.Int8];
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void An_mlp_scores_in_another_process_and_in_batches_as_here([ValueSource(nameof(Stored))] StudentPrecision precision) =>
        Check(precision, NetworkSpec.Mlp(16, 8), _mlContext.View(ToyData.Points()), _mlContext.View(ToyData.Points(seed: 2)));

    [Test]
    public void A_linear_student_of_bytes_scores_in_another_process_and_in_batches_as_here([ValueSource(nameof(Stored))] StudentPrecision precision) =>
        Check(precision, NetworkSpec.Mlp(), _mlContext.View(ToyData.Images()), _mlContext.View(ToyData.Images(seed: 2)), "Pixels");

    [Test]
    public void A_resnet_of_bytes_scores_in_another_process_and_in_batches_as_here([ValueSource(nameof(Stored))] StudentPrecision precision) =>
        Check(precision, ToyPipelines.SmallResNet, _mlContext.View(ToyData.Images()), _mlContext.View(ToyData.Images(seed: 2)), "Pixels");

    [Test]
    public void A_student_of_two_classes_scores_in_another_process_and_in_batches_as_here([ValueSource(nameof(Stored))] StudentPrecision precision) =>
        Check(precision, NetworkSpec.Mlp(8), _mlContext.View(ToyData.Points(classes: 2)), _mlContext.View(ToyData.Points(classes: 2, seed: 2)));

    [Test]
    public void A_linear_student_of_sparse_features_scores_in_another_process_and_in_batches_as_here([ValueSource(nameof(Stored))] StudentPrecision precision)
    {
        var rows = _mlContext.View(ToyData.SparseRows());
        Check(precision, NetworkSpec.Mlp(), _mlContext.Data.TakeRows(rows, 80), _mlContext.Data.SkipRows(rows, 80));
    }

    [Test]
    public void What_is_recorded_is_what_the_scored_rows_show([ValueSource(nameof(Stored))] StudentPrecision precision)
    {
        var (model, test) = (FitNoisy(), _mlContext.View(ToyData.Points(400, seed: 3)));

        var stored = model.WithPrecision(precision, new PrecisionOptions { Calibration = _mlContext.View(ToyData.Points()), Test = test });

        var found = stored.FindStudent().Precision!;
        var (before, after) = (model.Transform(test), stored.Transform(test));
        var labels = ModelScores.ReadNames(before, "Class");
        var (trained, classes) = (ModelScores.ReadNames(before, "PredictedLabel"), ModelScores.ReadNames(after, "PredictedLabel"));
        Assert.Multiple(() =>
        {
            Assert.That(found.Precision, Is.EqualTo(precision));
            Assert.That(found.Metrics.Rows, Is.EqualTo(400));
            Assert.That(found.TrainedAccuracy, Is.EqualTo(Share(labels, trained)).Within(1e-12));
            Assert.That(found.Accuracy, Is.EqualTo(Share(labels, classes)).Within(1e-12));
            Assert.That(found.Agreement, Is.EqualTo(Share(trained, classes)).Within(1e-12));
            Assert.That(found.LargestDifference, Is.EqualTo(ModelScores.LargestDifference(ModelScores.ReadScores(before), ModelScores.ReadScores(after))).And.Positive);
            Assert.That(found.TrainedBytes, Is.EqualTo(Saved(model.FindStudent(), test)).Within(200));
            Assert.That(found.Bytes, Is.EqualTo(Saved(stored.FindStudent(), test)).Within(200).And.LessThan(found.TrainedBytes));
            Assert.That($"{found}", Does.StartWith($"{precision}: ").And.Contain(" of 400 rows; probabilities differ by up to "));
            Assert.That($"{stored.FindStudent()}", Does.StartWith($"MLP 64-64 in {precision} from 'Features'"));
        });

        static double Share(string?[] one, string?[] other) => one.Zip(other).Count(pair => pair.First == pair.Second) / (double)one.Length;

        int Saved(ITransformer student, IDataView rows) => _mlContext.Saved(student, _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(rows).Transform(rows).Schema).Length;
    }

    [Test]
    public void Rows_without_labels_are_compared_by_agreement()
    {
        var model = FitNoisy().LastTransformer;
        var features = _mlContext.Transforms.DropColumns("Label").Fit(_mlContext.View(ToyData.Points())).Transform(_mlContext.View(ToyData.Points(100, seed: 3)));
        var found = model.WithPrecision(StudentPrecision.Float16, new PrecisionOptions { Test = features }).FindStudent().Precision!;
        Assert.That((found.Accuracy, found.TrainedAccuracy, found.Metrics.Rows), Is.EqualTo(((double?)null, (double?)null, 100L)));
    }

    [Test]
    public void The_stand_alone_ONNX_model_has_the_precision_too([ValueSource(nameof(Stored))] StudentPrecision precision)
    {
        var (model, test) = (FitNoisy(), _mlContext.View(ToyData.Points(50, seed: 3)));
        var stored = model.WithPrecision(precision, new PrecisionOptions { Calibration = _mlContext.View(ToyData.Points()), Test = test });
        using var onnx = new MemoryStream();
        stored.FindStudent().SaveOnnx(onnx);
        using var embedding = new MemoryStream();
        stored.FindStudent().SaveEmbeddingOnnx(embedding);

        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(onnx.ToArray());
        var rows = test.GetColumn<float[]>("Features").SelectMany(row => row).ToArray();
        using var outputs = session.Run([Microsoft.ML.OnnxRuntime.NamedOnnxValue.CreateFromTensor("Features", new Microsoft.ML.OnnxRuntime.Tensors.DenseTensor<float>(rows, [50, ToyData.Features]))]);

        var scores = ModelScores.ReadScores(stored.Transform(test));
        Assert.That(ModelScores.LargestDifference([.. outputs[0].AsEnumerable<float>().Chunk(3)], scores), Is.LessThan(1e-6));
        Assert.That(embedding.Length, Is.LessThan(onnx.Length));
    }

    [Test]
    public void Other_precisions_are_made_of_the_trained_weights_and_lead_back_to_them()
    {
        var (model, test) = (FitNoisy(), _mlContext.View(ToyData.Points(50, seed: 3)));
        var options = new PrecisionOptions { Calibration = _mlContext.View(ToyData.Points()), Test = test };

        var (small, half) = (model.WithPrecision(StudentPrecision.Int8, options), model.WithPrecision(StudentPrecision.Float16, options));
        var again = small.WithPrecision(StudentPrecision.Float16, options);

        Assert.That(ModelScores.ReadLines(again.Transform(test)), Is.EqualTo(ModelScores.ReadLines(half.Transform(test))));
        Assert.That(again.FindStudent().Precision!.Agreement, Is.EqualTo(half.FindStudent().Precision!.Agreement));
        Assert.That(small.WithPrecision(StudentPrecision.Float32, options).FindStudent(), Is.SameAs(model.FindStudent()));
        Assert.That(model.FindStudent().Precision, Is.Null);
    }

    [Test]
    public void A_student_that_agrees_too_little_is_refused_with_both_numbers()
    {
        // Nearly all of the range is one feature of one row.
        var far = ToyData.Points();
        far[7].Features[2] = 1e6f;
        var model = FitNoisy();
        var options = new PrecisionOptions { Calibration = _mlContext.View(far), Test = _mlContext.View(ToyData.Points(200, seed: 3)), MinimumAgreement = 0.99 };

        var e = Assert.Throws<InvalidOperationException>(() => model.WithPrecision(StudentPrecision.Int8, options))!;

        var found = model.WithPrecision(StudentPrecision.Int8, options with { MinimumAgreement = 0 }).FindStudent().Precision!.Agreement;
        Assert.That(e.Message, Is.EqualTo(FormattableString.Invariant(
            $"In Int8, MLP 64-64 predicts the class of the trained student on {100 * found:0.00} % of the test rows, and MinimumAgreement is 99.00 %. Use Float16, calibrate with more rows, or lower it.")));
    }

    [Test]
    public void Every_fault_of_the_options_is_named()
    {
        var e = Assert.Throws<ArgumentOutOfRangeException>(() => ToyModels.Points.WithPrecision(StudentPrecision.Int8, new PrecisionOptions { Test = null!, MinimumAgreement = 2 }))!;
        Assert.That(e.Message, Does.Contain("Test must be rows").And.Contain("Calibration must be set for Int8; was null.").And.Contain("MinimumAgreement must be in [0, 1]; was 2."));
    }

    [Test]
    public void Calibration_rows_that_are_the_test_rows_are_refused()
    {
        var rows = _mlContext.View(ToyData.Points());
        Assert.That(Message(rows, rows), Does.Contain("Calibration and Test are the same rows"));
        Assert.That(Message(rows, _mlContext.View(ToyData.Points())), Does.Contain("Calibration and Test have the same 150 rows"));

        string Message(IDataView calibration, IDataView test) => Assert.Throws<ArgumentOutOfRangeException>(
            () => ToyModels.Points.WithPrecision(StudentPrecision.Int8, new PrecisionOptions { Calibration = calibration, Test = test }))!.Message;
    }

    [Test]
    public void No_calibration_rows_are_an_error()
    {
        var rows = _mlContext.View(ToyData.Points());
        var options = new PrecisionOptions { Calibration = _mlContext.View(ToyData.Points(0)), Test = rows };
        Assert.That(() => ToyModels.Points.WithPrecision(StudentPrecision.Int8, options), Throws.InvalidOperationException.With.Message.StartsWith("There are no calibration rows"));
    }

    [Test]
    public void A_loaded_model_has_no_student_to_store()
    {
        var rows = _mlContext.View(ToyData.Points());
        var loaded = _mlContext.Reloaded(ToyModels.Points, rows.Schema);
        using var _ = loaded as IDisposable;
        Assert.That(
            () => loaded.WithPrecision(StudentPrecision.Float16, new PrecisionOptions { Test = rows }),
            Throws.InvalidOperationException.With.Message.Contains("call FindStudent on the model that Fit returned"));
    }

    [Test]
    public void A_network_with_an_operator_that_cannot_be_quantized_is_refused_by_name_and_can_be_float16()
    {
        var (rows, test) = (_mlContext.View(ToyData.Points()), _mlContext.View(ToyData.Points(60, seed: 3)));
        var model = _mlContext.Pipeline(ToyPipelines.Options(new TransposedSpec())).Fit(rows);
        var options = new PrecisionOptions { Calibration = rows, Test = test };

        var e = Assert.Throws<NotSupportedException>(() => model.WithPrecision(StudentPrecision.Int8, options))!;

        Assert.That(e.Message, Does.StartWith("transposed cannot be stored in Int8. The operator ConvTranspose "));
        Assert.That(model.WithPrecision(StudentPrecision.Float16, options).FindStudent().Precision!.Agreement, Is.EqualTo(1));
    }

    /// <summary>Classes that overlap, so that a student is wrong and unsure at times.</summary>
    private TransformerChain<DistillationTransformer> FitNoisy() =>
        _mlContext.Pipeline(ToyPipelines.Options(NetworkSpec.Mlp(64, 64)) with { Epochs = 2 }).Fit(_mlContext.View(ToyData.Points()));

    private void Check(StudentPrecision precision, NetworkSpec student, IDataView rows, IDataView test, string features = "Features")
    {
        var fitted = _mlContext.Pipeline(ToyPipelines.Options(student) with { FeatureColumnName = features }).Fit(rows);
        var trained = fitted.Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(fitted.Transform(rows)));

        var model = trained.WithPrecision(precision, new PrecisionOptions { Calibration = rows, Test = test, MinimumAgreement = 0.9 });

        var here = model.Transform(test);
        var lines = ModelScores.ReadLines(here);
        Assert.That(lines.Distinct().Count(), Is.GreaterThan(5), "scores of different rows should differ");
        Assert.That(lines, Is.Not.EqualTo(ModelScores.ReadLines(trained.Transform(test))));
        Assert.That(here.Schema.Select(column => $"{column.Name} {column.Type}"), Is.EqualTo(trained.Transform(test).Schema.Select(column => $"{column.Name} {column.Type}")));
        Assert.That(ToyLoader.Score(_mlContext, model, test), Is.EqualTo(lines));
        using var scorer = _mlContext.Model.CreateBatchScorer(model, test.Schema);
        Assert.That(ModelScores.ReadLines(scorer.Transform(test)), Is.EqualTo(lines));
    }

    /// <summary>A linear layer whose ONNX form is a transposed convolution of one pixel.</summary>
    private sealed record TransposedSpec : NetworkSpec
    {
        private const int Outputs = 6;

        public override string Name => "transposed";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var linear = nn.Linear(shape.Length, Outputs, hasBias: false);
            WeightInitialization.Reinitialize(linear, generator);
            return new([new ModuleBlock(linear, (graph, input) => Emit(graph, input, shape.Length, linear.weight!))], [], Outputs);
        }

        private static string Emit(OnnxGraph graph, string input, int length, Tensor weight)
        {
            using var kernel = weight.t().reshape(length, Outputs, 1, 1);
            var pixel = graph.Add("Reshape", [input, graph.Constant([-1, length, 1, 1])]);
            return graph.Add("Flatten", [graph.Add("ConvTranspose", [pixel, graph.Constant(kernel)])], ("axis", 1L));
        }
    }
}
