using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Teachers whose scores, classes or files are not what they are taken for.</summary>
internal static class TeacherCases
{
    public static IEnumerable<Case> All => [.. Scores(), .. Classes(), .. Binary(), .. Files(), .. Methods()];

    private static float[] Right(float[] features)
    {
        float[][] centres = [[1.5f, 0, 0, 0.5f], [-1, 1.3f, 0, 0], [-1, -1.3f, 0.5f, 0]];
        return [.. centres.Select(c => -2 * c.Zip(features, (x, y) => (x - y) * (x - y)).Sum())];
    }

    private static float[] Softmax(float[] logits)
    {
        var e = logits.Select(v => MathF.Exp(v - logits.Max())).ToArray();
        return [.. e.Select(v => v / e.Sum())];
    }

    private static float[] Noise(float[] features)
    {
        var random = new Random(BitConverter.SingleToInt32Bits(features[0]) * 31);
        return Softmax([4 * random.NextSingle(), 4 * random.NextSingle(), 4 * random.NextSingle()]);
    }

    private static Case Learns(string name, Func<float[], float[]> score, ScoreKind kind = ScoreKind.Auto) =>
        Case.Works(name, () => Sample.Learns(Sample.Learning(Sample.Saying(score, kind)) with { Method = DistillationMethod.Kd(temperature: 2, alpha: 1) }));

    private static Case Said(string name, Func<float[], float[]> score, ScoreKind kind, params string[] words) =>
        Case.Told(name, () => Sample.Fit(Sample.Learning(Sample.Saying(score, kind)), Sample.Points()), words);

    private static IEnumerable<Case> Scores()
    {
        yield return Learns("probabilities", features => Softmax(Right(features)));
        yield return Learns("logits", Right, ScoreKind.Logits);
        yield return Learns("probabilities that are rounded to two digits, said to be so", features => [.. Softmax(Right(features)).Select(p => MathF.Round(p, 2))], ScoreKind.Probabilities);
        yield return Learns("probabilities of 0 and 1", features => [.. Right(features).Select(v => v == Right(features).Max() ? 1f : 0f)]);
        yield return Said("logits of -∞", features => [.. Softmax(Right(features)).Select(p => p < 0.01f ? float.NegativeInfinity : MathF.Log(p))], ScoreKind.Logits, "Infinity", "logarithm of 0", "row");
        yield return Said("probabilities that are taken for logits", features => Softmax(Right(features)), ScoreKind.Logits, "probabilit");
        yield return Said("probabilities that are taken for margins", features => Softmax(Right(features)), ScoreKind.Margins, "probabilit");
        yield return Said("logits that are taken for probabilities", Right, ScoreKind.Probabilities, "probabilit");
        yield return Said("probabilities that sum to 2", features => [.. Softmax(Right(features)).Select(p => 2 * p)], ScoreKind.Probabilities, "sum");
        yield return Said("percentages", features => [.. Softmax(Right(features)).Select(p => 100 * p)], ScoreKind.Probabilities, "100");
        yield return Said("a negative probability", features => [1.2f, -0.1f, -0.1f], ScoreKind.Probabilities, "-0.1");
        yield return Said("zeros alone", _ => [0, 0, 0], ScoreKind.Auto, "teacher");
        yield return Said("the same for all rows", _ => [0.8f, 0.1f, 0.1f], ScoreKind.Auto, "teacher");
        yield return Said("noise", features => Noise(features), ScoreKind.Auto, "teacher");
        yield return Said("logits of 1e30", features => [.. Right(features).Select(v => v * 1e30f)], ScoreKind.Logits, "1");
        yield return Case.Refused("a teacher that throws in a row", () => Sample.Fit(Sample.Short(Sample.Saying(
            features => features[0] > 2 ? throw new InvalidOperationException("Too far.") : Softmax(Right(features))))), "Too far", "row");
        yield return Case.Refused("a teacher that throws in every row", () => Sample.Fit(Sample.Short(Sample.Saying(_ => throw new KeyNotFoundException("none")))), "none");
        yield return Case.Refused("a teacher that gives null", () => Sample.Fit(Sample.Short(Sample.Saying(_ => null!))), "Score");
        yield return Case.Refused("a teacher that gives too few", () => Sample.Fit(Sample.Short(Sample.Saying(_ => [0.5f, 0.5f]))), "Score");
        yield return Case.Refused("a teacher that gives too many", () => Sample.Fit(Sample.Short(Sample.Saying(_ => [0.25f, 0.25f, 0.25f, 0.25f]))), "Score");
    }

    private static Teacher Named(params string[] names) => Sample.Saying(Right, ScoreKind.Logits, names);

    private static IEnumerable<Case> Classes()
    {
        yield return Case.Told("two class names swapped", () => Sample.Fit(Sample.Learning(Named("birch", "ash", "cedar"))), "ash", "birch");
        yield return Case.Told("all class names turned", () => Sample.Fit(Sample.Learning(Named("birch", "cedar", "ash"))), "teacher");
        yield return Case.Refused("too few class names", () => Sample.Fit(Sample.Short(Named("ash", "birch"))), "2", "3");
        yield return Case.Refused("too many class names", () => Sample.Fit(Sample.Short(Named("ash", "birch", "cedar", "dogwood"))), "4", "3");
        yield return Case.Refused("other class names", () => Sample.Fit(Sample.Short(Named("oak", "elm", "fir"))), "oak", "ash");
        yield return Case.Refused("class names of other letters", () => Sample.Fit(Sample.Short(Named("Ash", "Birch", "Cedar"))), "Ash", "ash");
        yield return Case.Refused("class names with a blank", () => Sample.Fit(Sample.Short(Named("ash ", "birch", "cedar"))), "ash");
        yield return Case.Refused("a class name twice", () => Sample.Fit(Sample.Short(Named("ash", "ash", "cedar"))), "ash");
        yield return Case.Refused("an empty class name", () => Sample.Fit(Sample.Short(Named("", "birch", "cedar"))), "classNames", "empty");
        yield return Case.Refused("a class map to classes that there are not", () => Sample.Fit(Sample.Short(Teacher.FromColumn("Features4", classNames: ["a", "b", "c", "d"],
            classMap: new ClassMap { Names = new Dictionary<string, string> { ["a"] = "oak" }, DropOthers = true })), Wide()), "ash", "classes");
        yield return Case.Works("names twice and empty among classes that are dropped", () => Sample.Fit(
            Sample.Short(Teacher.FromColumn("Four", ScoreKind.Logits, ["ash", "birch", "cedar", "ash "],
                new ClassMap { Names = new Dictionary<string, string> { ["ash"] = "ash", ["birch"] = "birch", ["cedar"] = "cedar" }, DropOthers = true })), Wide()));
        yield return Case.Told("a teacher that never predicts a class", () => Sample.Fit(Sample.Learning(Sample.Saying(features =>
        {
            var right = Right(features);
            return [right[0], right[1], -50];
        }, ScoreKind.Logits))), "cedar");
        yield return Case.Told("a teacher of the majority alone, on a set that is nine tenths one class", () => Sample.Fit(
            Sample.Learning(Sample.Saying(_ => [0.9f, 0.05f, 0.05f])), Log.Context().Keyed(Unbalanced())), "teacher");
        yield return Case.Works("a teacher that is right, on a set that is nine tenths one class", () => Sample.Fit(
            Sample.Learning(Sample.Saying(Right, ScoreKind.Logits)), Log.Context().Keyed(Unbalanced())));
    }

    private static IEnumerable<Point> Unbalanced() => Rows.Points(600).Where((row, i) => row.Label == "ash" || i % 9 == 1 || i % 9 == 2);

    private static IDataView Wide() => Log.Context().Keyed(Rows.Points(60).Select(row => new FourScores { Label = row.Label, Features = row.Features, Four = [.. Right(row.Features), -5], Features4 = row.Features }));

    private static IEstimator<ITransformer> Forest(MLContext context) =>
        context.BinaryClassification.Trainers.FastForest("IsAsh", numberOfTrees: 10, minimumExampleCountPerLeaf: 2);

    private static void LearnsTwo(Func<MLContext, IEstimator<ITransformer>> trainer, ScoreKind kind = ScoreKind.Auto)
    {
        var context = Log.Context();
        var rows = Rows.Points(120).Where(row => row.Label != "cedar").Select(row => new BooleanPoint { IsAsh = row.Label == "ash", Features = row.Features }).ToArray();
        var raw = context.Data.LoadFromEnumerable(rows);
        var model = trainer(context).Fit(raw);
        var keyed = context.Transforms.Conversion.MapValueToKey("Class", "IsAsh").Fit(raw).Transform(raw);
        var student = Sample.Fit(Sample.Learning(Teacher.FromTransformer(model, scoreKind: kind)) with { Method = DistillationMethod.Kd(temperature: 1, alpha: 1), Epochs = 30 }, keyed);
        var scored = student.Transform(keyed);
        var named = context.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel").Fit(scored).Transform(scored).GetColumn<bool>("Named");
        Check.AtLeast(named.Zip(rows, (found, row) => found == row.IsAsh ? 1.0 : 0).Average(), 0.9, "accuracy");
    }

    private static IEnumerable<Case> Binary()
    {
        foreach (var (name, trainer) in new (string, Func<MLContext, IEstimator<ITransformer>>)[]
        {
            ("FastTree", context => context.BinaryClassification.Trainers.FastTree("IsAsh", numberOfTrees: 10, minimumExampleCountPerLeaf: 2)),
            ("logistic regression", context => context.BinaryClassification.Trainers.LbfgsLogisticRegression("IsAsh")),
        })
        {
            yield return Case.Works($"a binary {name} teaches two classes", () => LearnsTwo(trainer));
        }

        // It has a score and no probability, and a score alone may be anything.
        yield return Case.Refused("a binary FastForest without a word of what its score is", () => LearnsTwo(Forest), "Margins", "Platt");
        yield return Case.Works("a binary FastForest whose scores are said to be margins teaches two classes", () => LearnsTwo(Forest, ScoreKind.Margins));
        yield return Case.Works("a binary FastForest that is calibrated teaches two classes", () => LearnsTwo(
            context => Forest(context).Append(context.BinaryClassification.Calibrators.Platt("IsAsh"))));
        yield return Case.Refused("a binary model for three classes", () =>
        {
            var context = Log.Context();
            var raw = context.Data.LoadFromEnumerable(Rows.Points(120).Select(row => new BooleanPoint { IsAsh = row.Label == "ash", Features = row.Features, Label = row.Label }).ToArray());
            var model = context.BinaryClassification.Trainers.LbfgsLogisticRegression("IsAsh").Fit(raw);
            var keyed = context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(raw).Transform(raw);
            Sample.Fit(Sample.Short(Teacher.FromTransformer(model)), keyed);
        }, "3");
        yield return Case.Refused("a regression as a teacher", () =>
        {
            var context = Log.Context();
            var view = Sample.Points();
            Sample.Fit(Sample.Short(Teacher.FromTransformer(context.Regression.Trainers.LbfgsPoissonRegression("Weight").Fit(view))), view);
        }, "Score");
        yield return Case.Refused("a model that scores nothing", () =>
        {
            var context = Log.Context();
            var view = Sample.Points();
            Sample.Fit(Sample.Short(Teacher.FromTransformer(context.Transforms.CopyColumns("Copy", "Features").Fit(view))), view);
        }, "Score");
        yield return Case.Refused("a teacher whose inputs are not there", () =>
        {
            var context = Log.Context();
            var model = Sample.Regression(context).Fit(context.Data.LoadFromEnumerable(Rows.Points(60)));
            Sample.Fit(Sample.Short(Teacher.FromTransformer(model)) with { FeatureColumnName = "Four" }, context.Transforms.DropColumns("Features").Fit(Wide()).Transform(Wide()));
        }, "Features");
        yield return Case.Refused("an estimator that cannot be fitted", () => Sample.Fit(Sample.Short(Teacher.FromEstimator(
            Log.Context().Transforms.Conversion.MapValueToKey("TeacherClass", "Nowhere").Append(Log.Context().MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass"))))), "Nowhere");
    }

    private static Case Onnx(string name, byte[] file, params string[] words) => Case.Refused(name, () => InFile("model.onnx", file, path => Teacher.FromOnnx(path, classNames: Rows.Classes)), ["model.onnx", .. words]);

    private static Case Script(string name, byte[] file, params string[] words) => Case.Refused(name, () => InFile("model.pt", file, path => Teacher.FromTorchScript(path, classNames: Rows.Classes)), ["model.pt", .. words]);

    private static void InFile(string name, byte[] file, Func<string, Teacher> teacher)
    {
        using var folder = new ToyFolder();
        File.WriteAllBytes(folder.File(name), file);
        Sample.Fit(Sample.Short(teacher(folder.File(name))));
    }

    private static byte[] Nested(int depth)
    {
        // Messages in each other: field 7 of length n, from the inside out.
        var bytes = new List<byte>();
        for (var i = 0; i < depth; i++)
        {
            var length = new List<byte>();
            for (var n = bytes.Count; ; n >>= 7)
            {
                length.Add((byte)(n < 128 ? n : 128 | (n & 127)));
                if (n < 128)
                    break;
            }

            // Kept reversed, so that the outer ones are added at the end.
            length.Reverse();
            bytes.AddRange(length);
            bytes.Add(0x3A);
        }

        bytes.Reverse();
        return [.. bytes];
    }

    private static IEnumerable<Case> Files()
    {
        yield return Onnx("an empty ONNX file", []);
        yield return Onnx("an ONNX file of 40 00", [0x40, 0x00]);
        yield return Onnx("an ONNX file of one byte", [0xFF]);
        yield return Onnx("an ONNX file of zeros", new byte[100_000]);
        yield return Onnx("an ONNX file of ones", [.. Enumerable.Repeat((byte)0xFF, 100_000)]);
        yield return Onnx("an ONNX file of 60,000 nested messages", Nested(60_000));
        yield return Onnx("an ONNX file that is a text", "This is a model."u8.ToArray());
        yield return Onnx("an ONNX file that is a TorchScript archive", File.ReadAllBytes(Sample.Model("mlp.pt")));
        yield return Onnx("an ONNX file that is cut in half", File.ReadAllBytes(Sample.Model("iris-mlp.onnx"))[..1900]);
        yield return Case.Refused("the bytes of no ONNX file", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(ReadOnlySpan<byte>.Empty, classNames: Rows.Classes))), "ONNX");
        yield return Case.Refused("the bytes 40 00 as ONNX", () => Sample.Fit(Sample.Short(Teacher.FromOnnx([0x40, 0x00], classNames: Rows.Classes))), "ONNX");
        yield return Case.Refused("an ONNX file that is not there", () => Sample.Fit(Sample.Short(Teacher.FromOnnx("nowhere.onnx", classNames: Rows.Classes))), "nowhere.onnx");
        yield return Case.Refused("an ONNX file that is a folder", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(Path.GetTempPath(), classNames: Rows.Classes))), Path.GetTempPath());
        yield return Case.Refused("an ONNX file for images", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(Sample.Model("mnist.onnx"), classNames: Rows.Classes))), "mnist.onnx", "28");
        yield return Case.Refused("an output that the ONNX file lacks", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), new OnnxOutputs("nothing"), classNames: Rows.Classes))), "nothing", "output");
        yield return Case.Refused("an input that the ONNX file lacks", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), input: new TeacherInput { InputName = "nothing" }, classNames: Rows.Classes))), "nothing", "input");
        yield return Case.Refused("an ONNX file without class names", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(Sample.Model("iris-mlp.onnx")))), "classNames");
        yield return Case.Refused("ONNX on a GPU that there is not", () => Sample.Fit(Sample.Short(Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), classNames: Rows.Classes, device: TrainingDevice.Cuda(99)))), "99");
        yield return Case.Refused("training on a GPU that there is not", () => Sample.Fit(Sample.Short() with { Device = TrainingDevice.Cuda(99) }), "GPU");
        yield return Script("an empty TorchScript file", []);
        yield return Script("a TorchScript file of zeros", new byte[100_000]);
        yield return Script("a TorchScript file that is a text", "This is a model."u8.ToArray());
        yield return Script("a TorchScript file that is ONNX", File.ReadAllBytes(Sample.Model("iris-mlp.onnx")));
        yield return Script("a TorchScript file that is cut in half", File.ReadAllBytes(Sample.Model("mlp.pt"))[..1500]);
        yield return Script("a TorchScript file that is a state_dict", File.ReadAllBytes(Sample.Model("statedict.pth")), "weights");
        yield return Script("a TorchScript file that is an old state_dict", File.ReadAllBytes(Sample.Model("oldstatedict.pth")));
        foreach (var name in new[] { "foreign.pt", "twoinputs.pt", "conv.pt", "matmul.pt", "trainingmode.pt", "glued.pt", "longmixed.pt", "dictionary.pt" })
            yield return Case.WorksOrRefused($"the TorchScript file {name}", () => Sample.Fit(Sample.Short(Teacher.FromTorchScript(Sample.Model(name), classNames: Rows.Classes))), name);
        yield return Case.Refused("a TorchScript file that is not there", () => Sample.Fit(Sample.Short(Teacher.FromTorchScript("nowhere.pt", classNames: Rows.Classes))), "nowhere.pt");
        yield return Case.Refused("a TorchScript file that is a folder", () => Sample.Fit(Sample.Short(Teacher.FromTorchScript(Path.GetTempPath(), classNames: Rows.Classes))), Path.GetTempPath());
        yield return Case.Refused("an output that the TorchScript file lacks", () => Sample.Fit(Sample.Short(Teacher.FromTorchScript(Sample.Model("mlp.pt"), new TorchScriptOutputs(7), classNames: Rows.Classes))), "7");
    }

    private static IEnumerable<Case> Methods()
    {
        yield return Case.WorksOrRefused("a method of a user's own with two stages inside RCO in one stage", () => Sample.Fit(Sample.Learning(Route.Train(NetworkSpec.Mlp(6), epochs: 2)) with
        {
            Method = DistillationMethod.Rco(new TwoStages(), schedule: RcoSchedule.OneStage),
        }), "TwoStages");
        yield return Case.Refused("a method of a user's own without stages", () => Sample.Fit(Sample.Short(Sample.Teaching()) with { Method = new NoStages() }), "NoStages");
        yield return Case.Works("parameters that are frozen for a while are counted all the same", () =>
        {
            using var network = NetworkSpec.Mlp(8).Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 1);
            var all = network.ParameterCount;
            network.Head.Weight.requires_grad = false;
            Check.Equal(network.ParameterCount, all, "parameters");
        });
        Case Method(string name, DistillationMethod method, params string[] words) =>
            Case.Refused(name, () => Sample.Fit(Sample.Short(Teacher.Train(NetworkSpec.Mlp(12))) with { Method = method }), words);
        yield return Method("SimKD of an embedding of another length", DistillationMethod.SimKd(), "NetworkSpec.Projected");
        yield return Method("Lipschitz by taps of which there is one", DistillationMethod.Lipschitz(), "two pairs of taps");
        yield return Method("a graph of taps that there are not", DistillationMethod.GraphKd([new StagePair(3, 0)]), "3");
        yield return Case.Refused("MetaDistil from an ML.NET model", () => Sample.Fit(Sample.Short(Sample.Teaching()) with { Method = DistillationMethod.MetaDistil() }), "MetaDistil", "copied");
        yield return Case.Refused("SimKD from an ML.NET model", () => Sample.Fit(Sample.Short(Sample.Teaching()) with { Method = DistillationMethod.SimKd() }), "SimKD");
        yield return Case.Refused("MetaDistil with two rows", () => Sample.Fit(
            Sample.Short(Teacher.Train(NetworkSpec.Mlp(12))) with { Method = DistillationMethod.MetaDistil(), MinimumTeacherAccuracy = 0 }, Sample.Points(2)), "quiz", "2");
        yield return Case.Refused("hints of taps that there are not", () => Sample.Fit(Sample.Short(Teacher.Train(NetworkSpec.Mlp(8, 8))) with
        {
            Method = DistillationMethod.FromLoss("Hints", new Losses.CrossEntropyLoss() + new Losses.HintLoss((5, 0))),
        }), "5");
    }

    private sealed record TwoStages : DistillationMethod
    {
        public override string Name => "TwoStages";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override IEnumerable<Methods.TrainingPhase> Phases(Methods.MethodContext context) =>
            [context.Stage("one", new Losses.CrossEntropyLoss()), context.Stage("two", new Losses.KdLoss(2))];
    }

    private sealed record NoStages : DistillationMethod
    {
        public override string Name => "NoStages";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override IEnumerable<Methods.TrainingPhase> Phases(Methods.MethodContext context) => [];
    }

    private sealed class FourScores
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(4)]
        public float[] Four { get; set; } = [];

        [VectorType(4)]
        public float[] Features4 { get; set; } = [];
    }

    private sealed class BooleanPoint
    {
        public bool IsAsh { get; set; }

        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}
