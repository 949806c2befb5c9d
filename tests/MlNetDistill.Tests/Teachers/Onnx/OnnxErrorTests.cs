using System.Text;
using CsCheck;
using Microsoft.ML.OnnxRuntime;
using MlNetDistill.Core;
using MlNetDistill.Teachers;

namespace MlNetDistill.Tests.Teachers.Onnx;

/// <summary>What is wrong with a model, said in a paragraph that names the file and what to do.</summary>
public sealed class OnnxErrorTests
{
    private ScratchFolder _folder = null!;

    [SetUp]
    public void Begin() => _folder = new ScratchFolder();

    [TearDown]
    public void End() => _folder.Dispose();

    [Test]
    public void A_missing_file() => Refused(Path.Combine(_folder.Path, "none.onnx"), "does not exist (looked for at '");

    [Test]
    public void A_folder() => Refused(_folder.Path, "is a folder; name the .onnx file in it.");

    [Test]
    public void An_empty_file() => Refused([], "is empty. Export or download it again.");

    [TestCase("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n")]
    [TestCase("<!DOCTYPE html><html></html>")]
    [TestCase("PK\u0003\u0004 a zip file")]
    public void A_file_that_is_no_ONNX(string content) => Refused(Encoding.ASCII.GetBytes(content), "is not an ONNX file: it begins with ");

    [TestCase(0.3)]
    [TestCase(0.6)]
    [TestCase(0.95)]
    public void A_file_cut_short(double part)
    {
        var bytes = File.ReadAllBytes(RealModels.Path("letter-teacher.onnx"));
        Refused(bytes[..(int)(bytes.Length * part)], "is truncated, or not an ONNX file: a field of ");
    }

    [Test]
    public void A_model_with_any_of_its_bytes_changed_is_read_or_refused()
    {
        var bytes = External("weights.bin");
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte).Array[1, 4].Sample(
            changes =>
            {
                var changed = bytes.ToArray();
                foreach (var (place, value) in changes)
                    changed[place] = value;
                try
                {
                    using var stream = new MemoryStream(changed);
                    OnnxLayout.Read(stream);
                }
                catch (Exception refusal) when (refusal is InvalidDataException or EndOfStreamException)
                {
                }
            },
            iter: 100_000);
    }

    [Test]
    public void Messages_within_messages_without_end_are_refused()
    {
        // Node 1 of a graph has attribute 5, whose graph 6 has a node.
        var graph = OnnxBytes.Field(2, "innermost");
        for (var depth = 0; depth < 15_000; depth++)
            graph = OnnxBytes.Field(1, OnnxBytes.Field(5, OnnxBytes.Field(6, graph)));
        Refused(OnnxBytes.Field(7, graph), "is not an ONNX file: it begins with ");
    }

    /// <summary>A number where a message belongs has no place in the file: reading went on at its start, for ever.</summary>
    [Test]
    public void Two_bytes_are_no_model() => Refused([0x40, 0x00], "is not an ONNX file: it begins with ");

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_pipe_is_not_waited_for()
    {
        string Pipe(string name)
        {
            var path = Path.Combine(_folder.Path, name);
            using var made = System.Diagnostics.Process.Start("mkfifo", [path]);
            made.WaitForExit();
            return path;
        }

        Refused(Pipe("pipe.onnx"), "is empty. Export or download it again.");
        Pipe("weights.bin");
        Refused(External("weights.bin"), "keeps weights in the file 'weights.bin', which is empty. Export or download it again.");
    }

    [Test]
    public void A_loop_that_never_ends_is_ended()
    {
        var path = _folder.Write("model.onnx", Endless());
        Assert.That(
            () => OnnxModel.Open(OnnxSource.FromFile(path), new(), InputShape.Vector(4), false, new(), null, 64, _ => { }, trialLimit: TimeSpan.FromSeconds(1)),
            Throws.InvalidOperationException.With.Message.EqualTo(
                $"The ONNX model '{path}' did not finish rows [1, 4] within 1 s. Check whether it has an endless loop."));
        using var cancelled = new CancellationTokenSource(TimeSpan.FromSeconds(0.5));
        Assert.That(
            () => OnnxModel.Open(OnnxSource.FromFile(path), new(), InputShape.Vector(4), false, new(), null, 64, _ => { }, cancelled.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Looking_through_a_model_can_be_cancelled() => Assert.That(
        () => OnnxSource.FromBytes(OnnxBytes.Linear().Write()).Inspect(new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    /// <summary>The same weights by two thousand names are read once.</summary>
    [Test]
    public void Weights_by_many_names_are_read_once()
    {
        var model = new OnnxBytes();
        _folder.Write("weights.bin", new byte[8 << 20]);
        for (var i = 0; i < 2000; i++)
            model.ExternalWeights($"w{i}", [4, 3], $"{string.Concat(Enumerable.Repeat("./", i))}weights.bin");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        OnnxSource.FromFile(_folder.Write("model.onnx", model.Write())).Inspect();
        Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(5));
    }

    [Test]
    public void Weights_without_a_possible_name() => Refused(External("weights\0.bin"), "keeps weights in a file with an invalid name. Export or download it again.");

    [Test]
    public void An_opset_of_the_future()
    {
        var newest = Newest(opset => Relu(new OnnxBytes { Opset = opset }));
        Refused(
            Relu(new OnnxBytes { Opset = 99 }),
            $"uses opset 99, newer than this ONNX Runtime, which reads up to {newest}. Update Microsoft.ML.OnnxRuntime, or export with opset_version={newest} or lower.");
    }

    [Test]
    public void An_IR_version_of_the_future()
    {
        var newest = Newest(version => Relu(new OnnxBytes { IrVersion = version }));
        Refused(
            Relu(new OnnxBytes { IrVersion = 99 }),
            $"is of IR version 99, newer than this ONNX Runtime, which reads up to {newest}. Update Microsoft.ML.OnnxRuntime, or export with an older onnx package.");
    }

    [Test]
    public void An_operator_of_someone_s_own() => Refused(new OnnxBytes { Domain = "com.acme" }.Node("com.acme", "Magic", ["x"], ["y"])
        .Input("x", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write(),
        "uses an operator that ONNX Runtime does not have (operators of com.acme). Custom operators cannot be loaded;");

    [Test]
    public void An_operator_that_does_not_exist() => Refused(new OnnxBytes().Node("Frobnicate", ["x"], ["y"])
        .Input("x", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write(), "uses an operator that ONNX Runtime does not have.");

    [Test]
    public void A_graph_that_does_not_hold_together() => Refused(new OnnxBytes().Node("Relu", ["nowhere"], ["y"])
        .Input("x", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write(), "cannot be loaded by ONNX Runtime. Check the file with onnx.checker");

    [Test]
    public void Several_outputs_without_a_name() => Refused(TwoOutputs(),
        "has 2 outputs: 'a' (float32 N×4), 'b' (float32 N×4). Name the class scores in OnnxOutputs.Logits.");

    [Test]
    public void An_output_that_is_not_there() => Refused(TwoOutputs(),
        "has no output 'c', which OnnxOutputs.Embedding names; it has 'a' (float32 N×4), 'b' (float32 N×4).", new OnnxOutputs("a", "c"));

    [Test]
    public void Probabilities_in_a_map()
    {
        var bytes = new OnnxBytes { Domain = "ai.onnx.ml" }.Node("ArgMax", ["x"], ["label"], ("axis", 1), ("keepdims", 0))
            .Node("ai.onnx.ml", "ZipMap", ["x"], ["probabilities"], ("classlabels_int64s", new[] { 0, 1, 2, 3 }))
            .Input("x", OnnxBytes.Float, "N", 4).Output("label", OnnxBytes.Int64, "N").MapOutput("probabilities").Write();
        Refused(bytes, "has 2 outputs: 'label' (int64 N), 'probabilities' (sequence). Name the class scores in OnnxOutputs.Logits. Maps and sequences, as scikit-learn's " +
            "exporter makes them of probabilities, cannot be read: export with options={id(model): {'zipmap': False}}.");
        Refused(bytes, "gives 'probabilities' as sequence, not as a tensor. Maps and sequences,", new OnnxOutputs("probabilities"));
        Refused(bytes, "gives 'label' as int64 N; OnnxOutputs.Logits must be float32, float16 or double.", new OnnxOutputs("label"));
    }

    [Test]
    public void Several_inputs() => Refused(
        new OnnxBytes().Node("Add", ["x", "z"], ["y"]).Input("x", OnnxBytes.Float, "N", 4).Input("z", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write(),
        "has 2 inputs: 'x' (float32 N×4), 'z' (float32 N×4). Name the one that reads the rows in TeacherInput.InputName; the others must have defaults in the model.");

    [Test]
    public void An_input_that_is_not_there() => Refused(
        OnnxBytes.Linear().Write(), "has no input 'z', which TeacherInput.InputName names; it has 'x' (float32 N×4).", input: new() { InputName = "z" });

    [Test]
    public void An_input_of_whole_numbers() => Refused(
        new OnnxBytes().Node("Cast", ["x"], ["y"], ("to", 1)).Input("x", OnnxBytes.Int64, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write(),
        "reads 'x' as int64 N×4; rows can be fed as float32, float16, double or uint8. Export it with such an input.");

    [Test]
    public void An_input_of_another_length() => Refused(OnnxBytes.Linear(5).Write(),
        "reads float32 N×5, but the rows are vector of 4: a row has 4 values and not 5. Name the column it was trained on in TeacherInput.ColumnName.");

    [Test]
    public void Class_scores_that_are_no_vector_a_row() => Refused(
        new OnnxBytes().Node("ReduceMean", ["x"], ["y"], ("axes", new[] { 1 }), ("keepdims", 0)).Input("x", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N").Write(),
        "gives as class scores float32 [1] for 1 row; it must be N×K (or N×K×1×1). Choose another output of the model, or export the model with such an output.");

    [Test]
    public void Stage_features_of_three_dimensions() => Refused(
        new OnnxBytes().Integers("axes", 1).Node("Unsqueeze", ["x", "axes"], ["s"]).Node("Relu", ["x"], ["y"]).Input("x", OnnxBytes.Float, "N", 4)
            .Output("y", OnnxBytes.Float, "N", 4).Output("s", OnnxBytes.Float, "N", 1, 4).Write(),
        "gives as stage output 0 float32 [1, 1, 4] for 1 row; it must be N×C×H×W or N×D.", new OnnxOutputs("y", StageFeatures: ["s"]));

    [Test]
    public void A_run_that_fails() => Refused(
        new OnnxBytes().Weights("w", OnnxBytes.Float, [5, 3]).Node("MatMul", ["x", "w"], ["y"]).Input("x", OnnxBytes.Float, "N", "D").Output("y", OnnxBytes.Float, "N", 3).Write(),
        "failed on float32 rows [1, 4]: ");

    [Test]
    public void Weights_that_are_missing()
    {
        var bytes = External("weights.bin");
        Refused(bytes, $"keeps weights in the file 'weights.bin', which is not beside it. Copy it to '{_folder.Path}'.");
        Refused(External("../weights.bin"), "keeps weights in '../weights.bin', outside its folder, where ONNX Runtime does not read them. Move the file into the folder and export the model again.");
        Assert.That(() => OnnxModel.Open(OnnxSource.FromBytes(bytes, "of ours"), new(), InputShape.Vector(4), false, new(), null, 8, _ => { }),
            Throws.InvalidOperationException.With.Message.StartsWith("The ONNX model of ours keeps weights in the file 'weights.bin', which a model in memory cannot refer to."));
    }

    private static byte[] External(string location) => new OnnxBytes().ExternalWeights("w", [4, 3], location).Node("MatMul", ["x", "w"], ["logits"])
        .Input("x", OnnxBytes.Float, "N", 4).Output("logits", OnnxBytes.Float, "N", 3).Write();

    /// <summary>y = x, after as many turns of a loop as a number can count.</summary>
    private static byte[] Endless()
    {
        var body = new OnnxBytes().Node("Identity", ["go"], ["goOn"]).Node("Add", ["v", "v"], ["w"])
            .Input("i", OnnxBytes.Int64).Input("go", OnnxBytes.Bool).Input("v", OnnxBytes.Float, "N", 4).Output("goOn", OnnxBytes.Bool).Output("w", OnnxBytes.Float, "N", 4);
        return new OnnxBytes().Integer("turns", long.MaxValue).Node("Loop", ["turns", "", "x"], ["y"], ("body", body))
            .Input("x", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write();
    }

    private static byte[] Relu(OnnxBytes model) =>
        model.Node("Relu", ["x"], ["y"]).Input("x", OnnxBytes.Float, "N", 4).Output("y", OnnxBytes.Float, "N", 4).Write();

    /// <summary>The newest version that the ONNX Runtime at hand opens, found by trying one after another.</summary>
    private static int Newest(Func<int, byte[]> model)
    {
        const int Oldest = 7, Future = 99;
        var refused = Enumerable.Range(Oldest, Future - Oldest).First(version => !Opens(model(version)));
        Assert.That(refused, Is.GreaterThan(Oldest + 1), "hardly any version is opened");
        return refused - 1;
    }

    private static bool Opens(byte[] model)
    {
        try
        {
            using var session = new InferenceSession(model);
            return true;
        }
        catch (OnnxRuntimeException)
        {
            return false;
        }
    }

    private static byte[] TwoOutputs() => new OnnxBytes().Node("Relu", ["x"], ["a"]).Node("Sigmoid", ["x"], ["b"]).Input("x", OnnxBytes.Float, "N", 4)
        .Output("a", OnnxBytes.Float, "N", 4).Output("b", OnnxBytes.Float, "N", 4).Write();

    private void Refused(byte[] content, string message, OnnxOutputs? outputs = null, TeacherInput? input = null) =>
        Refused(_folder.Write("model.onnx", content), message, outputs, input);

    private static void Refused(string path, string message, OnnxOutputs? outputs = null, TeacherInput? input = null) => Assert.That(
        () => OnnxModel.Open(OnnxSource.FromFile(path), outputs ?? new(), InputShape.Vector(4), false, input ?? new(), null, 64, line => Assert.Fail(line)).Dispose(),
        Throws.InvalidOperationException.With.Message.StartsWith($"The ONNX model '{path}' {message}"));
}
