using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers.Onnx;

/// <summary>What exporters write, each in a small file of its own.</summary>
public sealed class OnnxModelTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Begin() => _scope = NewDisposeScope();

    [TearDown]
    public void End() => _scope.Dispose();

    [TestCase(OnnxBytes.Float)]
    [TestCase(OnnxBytes.Double)]
    [TestCase(OnnxBytes.Half)]
    public void Models_of_other_precisions_take_and_give_32_bit_floats_here(int type)
    {
        using var model = Open(OnnxBytes.Linear(type: type));
        var logits = model.ComputeOutputs(Rows(5), ModelOutputs.Logits).Logits;
        Assert.That(logits.dtype, Is.EqualTo(float32));
        Assert.That(allclose(logits, Expected(Rows(5)), 2e-3, 1e-3), Is.True);
    }

    [Test]
    public void A_model_of_bytes_is_fed_with_bytes()
    {
        var bytes = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Node("Cast", ["x"], ["f"], ("to", 1)).Node("MatMul", ["f", "w"], ["logits"])
            .Input("x", OnnxBytes.UInt8, "N", 4).Output("logits", OnnxBytes.Float, "N", 3);
        using var model = Open(bytes, isByte: true);
        var rows = arange(8).reshape(2, 4).mul(30).to(uint8);
        Assert.That(allclose(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits, Expected(rows.to(float32))), Is.True);
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(8)]
    public void A_fixed_batch_is_filled_up_and_cut(int batch)
    {
        using var model = Open(OnnxBytes.Linear(batch: batch));
        foreach (var rows in (int[])[1, 3, 7])
            Assert.That(allclose(model.ComputeOutputs(Rows(rows), ModelOutputs.Logits).Logits, Expected(Rows(rows))), Is.True, $"{rows} rows");
    }

    [Test]
    public void Batches_are_cut_to_the_size_that_was_asked_for()
    {
        using var model = Open(OnnxBytes.Linear(), batchSize: 3);
        Assert.That(allclose(model.ComputeOutputs(Rows(8), ModelOutputs.Logits).Logits, Expected(Rows(8))), Is.True);
    }

    [Test]
    public void A_batch_that_is_free_outside_and_fixed_inside_is_run_row_by_row_with_a_warning()
    {
        var bytes = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Integers("shape", 1, 4).Node("Reshape", ["x", "shape"], ["r"])
            .Node("MatMul", ["r", "w"], ["logits"]).Input("x", OnnxBytes.Float, "N", 4).Output("logits", OnnxBytes.Float, "N", 3);
        List<string> warnings = [];
        using var model = Open(bytes, warn: warnings.Add);
        Assert.That(allclose(model.ComputeOutputs(Rows(5), ModelOutputs.Logits).Logits, Expected(Rows(5))), Is.True);
        Assert.That(warnings, Has.Count.EqualTo(1));
        Assert.That(warnings[0], Does.Contain("declares a dynamic batch size but fails on two rows").And.Contain("Reshape").And.Contain("It is run row by row"));
    }

    [Test]
    public void A_model_whose_rows_see_each_other_is_run_row_by_row_with_a_warning()
    {
        var bytes = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Node("ReduceMean", ["x"], ["m"], ("axes", new[] { 0 }), ("keepdims", 1))
            .Node("Sub", ["x", "m"], ["d"]).Node("MatMul", ["d", "w"], ["logits"]).Input("x", OnnxBytes.Float, "N", 4).Output("logits", OnnxBytes.Float, "N", 3);
        List<string> warnings = [];
        using var model = Open(bytes, warn: warnings.Add);
        Assert.That(warnings.Single(), Does.Contain("gives other outputs for two rows at once than for each by itself"));
        Assert.That(model.ComputeOutputs(Rows(5), ModelOutputs.Logits).Logits.abs().max().item<float>(), Is.Zero);
    }

    [Test]
    public void Shapes_that_are_not_declared_are_found_by_a_trial()
    {
        var bytes = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Node("MatMul", ["x", "w"], ["scores"]).Node("Relu", ["x"], ["hidden"])
            .Input("x", OnnxBytes.Float, "N", "D").Output("scores", OnnxBytes.Float, "a", "b").Output("hidden", OnnxBytes.Float, "c", "d");
        using var model = Open(bytes, new("scores", "hidden", ["hidden"]));
        Assert.That((model.Shapes.LogitCount, model.Shapes.EmbeddingLength, model.Shapes.StageFeatures[0][0]), Is.EqualTo((3, 4, 4)));
    }

    [Test]
    public void Maps_of_one_pixel_are_vectors()
    {
        var bytes = new OnnxBytes().Node("GlobalAveragePool", ["x"], ["logits"]).Input("x", OnnxBytes.Float, "N", 3, 4, 5).Output("logits", OnnxBytes.Float, "N", 3, 1, 1);
        using var model = Open(bytes, shape: InputShape.Image(3, 4, 5));
        Assert.That(model.ComputeOutputs(ones(2, 3, 4, 5), ModelOutputs.Logits).Logits.shape, Is.EqualTo((long[])[2, 3]));
    }

    [Test]
    public void Initializers_among_the_inputs_are_no_inputs()
    {
        var bytes = new OnnxBytes { IrVersion = 3, Opset = 8 }.Weights("w", OnnxBytes.Float, [4, 3]).Node("MatMul", ["x", "w"], ["y"])
            .Input("x", OnnxBytes.Float, "N", 4).Input("w", OnnxBytes.Float, 4, 3).Output("y", OnnxBytes.Float, "N", 3);
        using var model = Open(bytes);
        Assert.That(allclose(model.ComputeOutputs(Rows(2), ModelOutputs.Logits).Logits, Expected(Rows(2))), Is.True);
    }

    [Test]
    public void The_input_can_be_named()
    {
        using var model = OnnxModel.Open(OnnxSource.FromBytes(OnnxBytes.Linear().Write()), new(), InputShape.Vector(4), false, new() { InputName = "x" }, null, 8, NoWarning);
        Assert.That(model.Name, Is.EqualTo("in memory"));
    }

    [Test]
    public void Weights_in_another_file_are_read_and_part_of_the_identity()
    {
        using var folder = new ScratchFolder();
        var bytes = new OnnxBytes().ExternalWeights("w", [4, 3], "weights.bin").Node("MatMul", ["x", "w"], ["logits"])
            .Input("x", OnnxBytes.Float, "N", 4).Output("logits", OnnxBytes.Float, "N", 3).Write();
        var numbers = OnnxBytes.Numbers([4, 3]);
        string Identity()
        {
            folder.Write("weights.bin", System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray());
            using var model = OnnxModel.Open(OnnxSource.FromFile(folder.Write("model.onnx", bytes)), new(), InputShape.Vector(4), false, new(), null, 8, NoWarning);
            if (numbers[0] == 0)
                Assert.That(allclose(model.ComputeOutputs(Rows(2), ModelOutputs.Logits).Logits, Expected(Rows(2))), Is.True);
            return model.ContentHash;
        }

        var first = Identity();
        Assert.That(Identity(), Is.EqualTo(first));
        numbers[0] = 1;
        Assert.That(Identity(), Is.Not.EqualTo(first));
    }

    [Test]
    public void The_identity_follows_the_bytes_the_outputs_and_the_preparation_and_not_the_place()
    {
        using var folder = new ScratchFolder();
        var bytes = OnnxBytes.Linear().Write();
        string Identity(OnnxSource source, TeacherInput? input = null, OnnxOutputs? outputs = null)
        {
            using var model = OnnxModel.Open(source, outputs ?? new(), InputShape.Vector(4), false, input ?? new(), null, 8, NoWarning);
            return model.ContentHash;
        }

        var first = Identity(OnnxSource.FromBytes(bytes));
        Assert.That(Identity(OnnxSource.FromFile(folder.Write("a.onnx", bytes))), Is.EqualTo(first));
        string[] different = [first, Identity(OnnxSource.FromBytes(OnnxBytes.Linear(outputs: 2).Write())), Identity(OnnxSource.FromBytes(bytes), new() { Scale = 2 }),
            Identity(OnnxSource.FromBytes(bytes), outputs: new(Embedding: "logits"))];
        Assert.That(different, Is.Unique);
    }

    [Test]
    public void A_GPU_that_cannot_be_had_is_an_error_that_names_the_package_or_a_warning()
    {
        var source = OnnxSource.FromBytes(OnnxBytes.Linear().Write());
        OnnxModel Asked(TrainingDevice device, Action<string> warn) => OnnxModel.Open(source, new(), InputShape.Vector(4), false, new(), device, 8, warn);
        // Where a GPU's ONNX Runtime is installed there is nothing to see; number 99 is in no machine.
        Assert.That(() => Asked(TrainingDevice.Cuda(99), NoWarning), Throws.InvalidOperationException.With.Message.StartsWith(
            "The ONNX model in memory was to run on GPU 99, but the GPU is not available: ").And.Message.Contains("Microsoft.ML.OnnxRuntime.Gpu"));
        List<string> warnings = [];
        using var model = Asked(TrainingDevice.Cuda(99, fallbackToCpu: true), warnings.Add);
        Assert.That(warnings.Single(), Does.Contain("it runs on the CPU"));
        Assert.That(allclose(model.ComputeOutputs(Rows(2), ModelOutputs.Logits).Logits, Expected(Rows(2))), Is.True);
    }

    [Test]
    public void Sessions_survive_garbage_collections()
    {
        for (var i = 0; i < 20; i++)
        {
            using var model = Open(OnnxBytes.Linear());
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.That(allclose(model.ComputeOutputs(Rows(2), ModelOutputs.Logits).Logits, Expected(Rows(2))), Is.True);
        }
    }

    private static OnnxModel Open(
        OnnxBytes bytes, OnnxOutputs? outputs = null, InputShape? shape = null, bool isByte = false, int batchSize = 64, Action<string>? warn = null) => OnnxModel.Open(
        OnnxSource.FromBytes(bytes.Write()), outputs ?? new(), shape ?? InputShape.Vector(4), isByte, new(), null, batchSize, warn ?? NoWarning);

    private static void NoWarning(string line) => Assert.Fail($"Nothing to warn of: {line}");

    private static Tensor Rows(int count) => arange(count * 4).to(float32).div(8).reshape(count, 4);

    private static Tensor Expected(Tensor rows) => rows.mm(arange(12).to(float32).div(10).reshape(4, 3));
}
