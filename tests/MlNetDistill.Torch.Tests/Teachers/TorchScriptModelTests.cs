using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>TorchScript files as models; Scripts/make.py says what is in them.</summary>
public sealed class TorchScriptModelTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Begin() => _scope = NewDisposeScope();

    [TearDown]
    public void End() => _scope.Dispose();

    [Test]
    public void A_script_answers_in_eval_mode_as_its_weights_say()
    {
        using var model = Open("mlp.pt");
        var rows = Rows(5);
        Assert.That(Near(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits, Logits(rows)), Is.True);
        Assert.That(model.Shapes.LogitCount, Is.EqualTo(3));
        Assert.That(model.Shapes.Available, Is.EqualTo(ModelOutputs.Logits));
    }

    [TestCase("tuple.pt")]
    [TestCase("list.pt")]
    public void A_tuple_or_a_list_gives_the_embedding_by_position(string file)
    {
        using var model = Open(file, new TorchScriptOutputs(0, Embedding: 1));
        var rows = Rows(5);
        var answer = model.ComputeOutputs(rows, ModelOutputs.Logits | ModelOutputs.Embedding);
        Assert.That(Near(answer.Logits, Logits(rows)), Is.True);
        Assert.That(Near(answer.Embedding, Embedding(rows)), Is.True);
        Assert.That(model.Shapes.EmbeddingLength, Is.EqualTo(6));
    }

    [Test]
    public void Stage_features_are_outputs_by_position_too()
    {
        using var model = Open("conv.pt", new TorchScriptOutputs(0, 1, [2, 3]), InputShape.Image(3, 8, 10));
        Assert.That(model.Shapes.StageFeatures, Is.EqualTo((long[][])[[4, 8, 10], [6, 4, 5]]));
        var answer = model.ComputeOutputs(ones(2, 3, 8, 10), ModelOutputs.Embedding | ModelOutputs.StageFeatures);
        Assert.That(Near(answer.Embedding, answer.StageFeatures[1].mean([2L, 3L])), Is.True);
    }

    [Test]
    public void A_script_of_doubles_reads_and_gives_32_bit_floats_here()
    {
        using var model = Open("double.pt");
        var logits = model.ComputeOutputs(Rows(3), ModelOutputs.Logits).Logits;
        Assert.That(logits.dtype, Is.EqualTo(float32));
        Assert.That(Near(logits, Logits(Rows(3))), Is.True);
    }

    [Test]
    public void A_script_traced_for_one_row_is_run_row_by_row_with_a_warning()
    {
        List<string> warnings = [];
        using var model = Open("glued.pt", warn: warnings.Add);
        var rows = Rows(5);
        Assert.That(Near(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits, Logits(rows)), Is.True);
        Assert.That(warnings, Has.Count.EqualTo(1));
        Assert.That(warnings[0], Does.StartWith($"The TorchScript model '{Path("glued.pt")}' declares a dynamic batch size but fails on two rows (RuntimeError: mat1 and mat2 shapes")
            .And.EndsWith("It is run row by row, which is slow; export it with a dynamic batch axis and in eval mode."));
    }

    [Test]
    public void A_script_traced_in_training_mode_is_refused() =>
        Refused("trainingmode.pt", "gives different outputs each time it reads the same row, like a model in training mode. Export a file after eval(); a module must not be random in eval mode.");

    [Test]
    public void A_dictionary_is_refused_with_what_to_return_instead() => Refused("dictionary.pt", "returns neither a tensor nor a tuple or list of tensors");

    [Test]
    public void A_long_tuple_with_numbers_is_refused_and_spoils_no_memory()
    {
        Refused("longmixed.pt", "returns neither a tensor nor a tuple or list of tensors");
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Test]
    public void A_position_beyond_the_outputs_is_refused() =>
        Refused("list.pt", "returns 2 outputs, numbered from 0; TorchScriptOutputs.Embedding is 2.", new TorchScriptOutputs(0, 2));

    [Test]
    public void An_output_that_is_no_tensor_is_refused() =>
        Refused("tuple.pt", "returns no tensor at position 2, which is TorchScriptOutputs.Embedding.", new TorchScriptOutputs(0, 2));

    [Test]
    public void Class_numbers_are_no_class_scores() => Refused("classes.pt", "gives as class scores int64 [1] for 1 row; it must be N×K (or N×K×1×1).");

    [Test]
    public void A_map_is_no_embedding() => Refused(
        "conv.pt", "gives as embedding float32 [1, 4, 8, 8] for 1 row; it must be N×D (or N×D×1×1).", new TorchScriptOutputs(0, 2), InputShape.Image(3, 8, 8));

    /// <summary>Outside TorchScript a matmul with wrong shapes ends the process.</summary>
    [Test]
    public void A_matmul_with_rows_of_the_wrong_length_is_an_error_and_not_the_end() =>
        Refused("matmul.pt", "failed on float32 rows [1, 9]: RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x9 and 4x3)", shape: InputShape.Vector(9));

    [Test]
    public void Two_inputs_are_an_error() => Refused("twoinputs.pt", "failed on float32 rows [1, 4]: forward() is missing value for argument 'y'.");

    /// <summary>libtorch ends the process when it loads such a file.</summary>
    [Test]
    public void Operators_of_an_extension_are_found_before_libtorch_sees_them() =>
        Refused("foreign.pt", "calls operators that libtorch itself does not have: torchvision::nms. Extensions cannot be loaded;");

    [TestCase("statedict.pth", "contains no TorchScript, but a pickle of torch.save (weights without the network, or a Python object). Load the network in Python and export it")]
    [TestCase("oldstatedict.pth", "is not a complete zip file, so it is no TorchScript archive or it is cut short")]
    [TestCase("missing.pt", "does not exist (looked for at '")]
    [TestCase("", "is a folder; give the path of a file.")]
    public void What_is_no_script_is_refused_with_how_to_make_one(string file, string message) => Refused(file, message);

    [Test]
    public void A_file_cut_short_is_refused()
    {
        var path = System.IO.Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, File.ReadAllBytes(Path("mlp.pt"))[..4000]);
            Refused(path, "is not a complete zip file, so it is no TorchScript archive or it is cut short");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void The_identity_tells_files_outputs_and_preparation_apart()
    {
        string Identity(string file, TorchScriptOutputs? outputs = null, TeacherInput? input = null)
        {
            using var model = Open(file, outputs, input: input);
            return model.ContentHash;
        }

        string[] different = [Identity("mlp.pt"), Identity("list.pt"), Identity("list.pt", new(0, 1)), Identity("mlp.pt", input: new() { Scale = 2 })];
        Assert.That(different, Is.Unique);
        Assert.That(Identity("mlp.pt"), Is.EqualTo(different[0]).And.Length.EqualTo(64));
    }

    [Test]
    public void No_tensor_outlives_an_answer()
    {
        using var model = Open("tuple.pt", new TorchScriptOutputs(0, 1));
        var rows = Rows(8);
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

    private static string Path(string file) => ToyScript.Path(file);

    private static TorchScriptModel Open(
        string file, TorchScriptOutputs? outputs = null, InputShape? shape = null, TeacherInput? input = null, Action<string>? warn = null) =>
        TorchScriptModel.Open(Path(file), outputs ?? new(), shape ?? InputShape.Vector(4), false, input ?? new(), CPU, 64,
            warn ?? (line => Assert.Fail($"Nothing to warn of: {line}")), isTrusted: true);

    private static void Refused(string file, string message, TorchScriptOutputs? outputs = null, InputShape? shape = null) => Assert.That(
        () => Open(file, outputs, shape), Throws.InvalidOperationException.With.Message.StartsWith($"The TorchScript model '{Path(file)}' {message}"));

    private static Tensor Rows(int count) => arange(count * 4).reshape(count, 4).to(float32).div(10);

    private static Tensor Weights(params long[] shape) => arange(shape.Aggregate((a, b) => a * b)).remainder(7).sub(3).to(float32).div(10).reshape(shape);

    private static Tensor Embedding(Tensor rows) => nn.functional.relu(rows.mm(Weights(6, 4).t()) + Weights(6));

    private static Tensor Logits(Tensor rows) => Embedding(rows).mm(Weights(3, 6).t()) + Weights(3);

    private static bool Near(Tensor a, Tensor b) => allclose(a, b, 1e-5, 1e-5);
}
