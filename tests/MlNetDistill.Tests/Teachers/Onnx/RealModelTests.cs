using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static MlNetDistill.Tests.Teachers.Onnx.RealModels;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers.Onnx;

/// <summary>Classifiers that others trained and exported, on rows they were not trained on.</summary>
public sealed class RealModelTests
{
    private static readonly InputShape Picture = InputShape.Image(3, 32, 32);

    private DisposeScope _scope = null!;

    [SetUp]
    public void Begin() => _scope = NewDisposeScope();

    [TearDown]
    public void End() => _scope.Dispose();

    [Test]
    public void A_CIFAR_ResNet_fed_with_bytes_gives_the_logits_that_PyTorch_gave()
    {
        using var model = Open("cifar100-resnet56.onnx", Picture, isByte: true, scale: 1 / 255f, outputs: new OnnxOutputs("logits"));
        var logits = model.ComputeOutputs(Pictures().Rows, ModelOutputs.Logits).Logits;
        Assert.That(Difference(logits, GoldenLogits()), Is.LessThan(1e-3f));
    }

    [Test]
    public void A_CIFAR_ResNet_fed_with_floats_gives_the_logits_that_PyTorch_gave()
    {
        using var model = Open("cifar100-resnet56.onnx", Picture);
        var logits = model.ComputeOutputs(Pictures().Rows.to(float32).div(255), ModelOutputs.Logits).Logits;
        Assert.That(Difference(logits, GoldenLogits()), Is.LessThan(1e-3f));
    }

    [Test]
    public void A_vector_column_of_pixels_is_as_good_as_an_image()
    {
        using var model = Open("cifar100-resnet20.onnx", InputShape.Vector(3072), isByte: true, scale: 1 / 255f);
        using var same = Open("cifar100-resnet20.onnx", Picture, isByte: true, scale: 1 / 255f);
        var rows = Pictures().Rows[..16];
        Assert.That(Difference(model.ComputeOutputs(rows.reshape(16, -1), ModelOutputs.Logits).Logits, same.ComputeOutputs(rows, ModelOutputs.Logits).Logits), Is.Zero);
    }

    [Test]
    public void Rows_are_answered_in_a_batch_as_one_by_one()
    {
        using var model = Open("cifar100-resnet20.onnx", Picture, isByte: true, scale: 1 / 255f);
        var rows = Pictures().Rows[..64];
        var batch = model.ComputeOutputs(rows, ModelOutputs.Logits).Logits;
        var single = cat([.. Enumerable.Range(0, 64).Select(i => model.ComputeOutputs(rows[i..(i + 1)], ModelOutputs.Logits).Logits)]);
        Assert.That(Difference(batch, single), Is.LessThan(1e-5f));
    }

    [Test]
    public void Embedding_and_stage_features_are_outputs_by_name()
    {
        using var model = Open("cifar100-resnet20.onnx", Picture, true, 1 / 255f, new OnnxOutputs("logits", "features", ["stage1", "stage2", "stage3"]));
        Assert.That(model.Shapes.LogitCount, Is.EqualTo(100));
        Assert.That(model.Shapes.EmbeddingLength, Is.EqualTo(64));
        Assert.That(model.Shapes.StageFeatures, Is.EqualTo((long[][])[[16, 32, 32], [32, 16, 16], [64, 8, 8]]));

        var answer = model.ComputeOutputs(Pictures().Rows[..5], ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures);
        Assert.That(answer.StageFeatures.Select(s => s.shape), Is.EqualTo((long[][])[[5, 16, 32, 32], [5, 32, 16, 16], [5, 64, 8, 8]]));
        // In a CIFAR ResNet the embedding is the mean of the last map.
        Assert.That(Difference(answer.Embedding, answer.StageFeatures[2].mean([2L, 3L])), Is.LessThan(1e-5f));
    }

    [Test]
    public void Only_what_is_wanted_is_computed()
    {
        using var model = Open("cifar100-resnet20.onnx", Picture, true, 1 / 255f, new OnnxOutputs("logits", "features"));
        Assert.That(model.ComputeOutputs(Pictures().Rows[..2], ModelOutputs.Logits).Available, Is.EqualTo(ModelOutputs.Logits));
    }

    [Test]
    public void A_CIFAR_ResNet20_knows_two_pictures_in_three()
    {
        var (rows, labels) = Pictures();
        using var model = Open("cifar100-resnet20.onnx", Picture, isByte: true, scale: 1 / 255f);
        Assert.That(Right(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits, labels), Is.GreaterThan(256 * 0.62));
    }

    [Test]
    public void A_CIFAR_ResNet56_knows_seven_pictures_in_ten()
    {
        var (rows, labels) = Pictures();
        using var model = Open("cifar100-resnet56.onnx", Picture, isByte: true, scale: 1 / 255f);
        Assert.That(Right(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits, labels), Is.GreaterThan(256 * 0.66));
    }

    [Test]
    public void A_digit_model_with_a_batch_fixed_at_one_is_asked_row_by_row_without_a_word()
    {
        var (rows, labels) = Digits();
        using var model = Open("mnist.onnx", InputShape.Vector(784), isByte: true, scale: 1);
        var logits = model.ComputeOutputs(rows, ModelOutputs.Logits).Logits;
        Assert.That(logits.shape, Is.EqualTo((long[])[200, 10]));
        Assert.That(Right(logits, labels), Is.GreaterThan(193));
    }

    [Test]
    public void A_letter_model_reads_the_raw_attributes()
    {
        var (rows, labels) = Letters();
        using var model = Open("letter-teacher.onnx", InputShape.Vector(16), outputs: new OnnxOutputs("logits", "features"));
        var answer = model.ComputeOutputs(rows, ModelOutputs.Logits | ModelOutputs.Embedding);
        Assert.That(Right(answer.Logits, labels), Is.GreaterThan(500 * 0.95));
        Assert.That(answer.Embedding.shape, Is.EqualTo((long[])[500, 512]));
    }

    [Test]
    public void The_only_output_is_the_class_scores_whatever_its_name()
    {
        var (rows, labels) = Irises();
        using var model = Open("iris-mlp.onnx", InputShape.Vector(4));
        Assert.That(Right(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits, labels), Is.EqualTo(147));
    }

    [Test]
    public void No_tensor_outlives_an_answer()
    {
        using var model = Open("letter-teacher.onnx", InputShape.Vector(16), outputs: new OnnxOutputs("logits", "features"));
        var rows = Letters().Rows;
        void Ask()
        {
            using var inner = NewDisposeScope();
            model.ComputeOutputs(rows, ModelOutputs.Logits | ModelOutputs.Embedding);
        }

        Ask();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        for (var i = 0; i < 20; i++)
            Ask();
        Assert.That(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount, Is.EqualTo(before));
    }
}
