using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Things that several users have at once, that were disposed of, or that are used in the wrong order.</summary>
internal static class SharingCases
{
    public static IEnumerable<Case> All
    {
        get
        {
            yield return Case.Works("one module asked by eight threads", () =>
            {
                using var module = Sample.Module();
                module.train();
                var view = Sample.Points(200);
                float[][][] Ask(int times) => [.. Enumerable.Range(0, times).AsParallel().WithDegreeOfParallelism(8)
                    .Select(_ => Sample.Trainer(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes))).ScoreTeacher(view).GetColumnOf("TeacherScore"))];
                var expected = Ask(1)[0];
                var wrong = Ask(32).Count(found => !Same(found, expected));
                Check.Equal(wrong, 0, "wrong scorings of 32");
                Check.That(module.training, "the module is no longer in training mode");
            });
            yield return Case.Works("one module with dropout teaches two fits at once", () =>
            {
                using var module = nn.Sequential(("drop", nn.Dropout(0.9)), ("net", Sample.Module()));
                module.train();
                var view = Sample.Points();
                DistillationOptions Options() => Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes));
                var expected = Sample.Fit(Options(), view).Scores(view);
                var found = Enumerable.Range(0, 6).AsParallel().WithDegreeOfParallelism(2).Select(_ => Sample.Fit(Options(), view).Scores(view)).ToArray();
                Check.Equal(found.Count(scores => !Same(scores, expected)), 0, "other students of 6");
                Check.That(module.training, "the module is no longer in training mode");
            });
            yield return Case.Works("a module with parts in both modes is left so", () =>
            {
                using var module = Sample.Module();
                module.train();
                module.children().First().eval();
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)));
                Check.That(module.training && !module.children().First().training && module.children().Last().training, "the modes of its parts are others");
            });
            yield return Case.Works("a module's weights and gradients are left alone", () =>
            {
                using var module = Sample.Module(trained: false);
                var first = module.parameters().First();
                using var before = first.clone();
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)));
                Check.That(first.requires_grad && first.grad is null && first.equal(before).all().item<bool>(), "weights or gradients changed");
            });
            yield return Case.Refused("a module that was disposed of", () =>
            {
                var module = Sample.Module();
                var teacher = Teacher.FromModule(module, classNames: Rows.Classes);
                module.Dispose();
                Sample.Fit(Sample.Short(teacher));
            }, "disposed", "Sequential");
            yield return Case.Refused("a module on the meta device", () =>
            {
                using var module = Sample.Module();
                module.to(META);
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)));
            }, "meta");
            yield return Case.Refused("a module of another input length", () => Sample.Fit(Sample.Short(Teacher.FromModule(Sample.Module(7, trained: false), classNames: Rows.Classes))), "Sequential", "4");
            yield return Case.Refused("a module of more classes", () => Sample.Fit(Sample.Short(Teacher.FromModule(Sample.Module(4, 5, trained: false), classNames: Rows.Classes))), "5", "3");
            yield return Refused("a module that throws", _ => throw new InvalidOperationException("No answer today."), "No answer today", "Own");
            yield return Refused("a module that gives nothing", _ => null!, "Own");
            yield return Refused("a module that gives a vector", rows => rows.sum(1), "Own");
            yield return Case.Told("a module that gives one row however many it is asked about", () =>
            {
                using var module = new OwnModule(rows => rows.narrow(0, 0, 1).narrow(1, 0, 3));
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits)));
            }, "Own", "row by row");
            yield return Refused("a module that gives NaN", rows => rows.narrow(1, 0, 3).mul(float.NaN), "Own", "NaN");
            yield return Refused("a module that gives ∞", rows => rows.narrow(1, 0, 3).div(0f), "Own");
            yield return Refused("a module that gives whole numbers", rows => rows.narrow(1, 0, 3).to(int64), "Own", "Int64");
            yield return Refused("a module that gives a tensor it disposed of", rows =>
            {
                var answer = rows.narrow(1, 0, 3).clone();
                answer.Dispose();
                return answer;
            }, "Own");
            yield return Case.WorksOrRefused("a module that writes into its input", () =>
            {
                using var module = new OwnModule(rows => rows.mul_(0f).narrow(1, 0, 3).add(tensor(new float[] { 2, 0, -2 })));
                var view = Sample.Points();
                var scores = Sample.Fit(Sample.Learning(Teacher.FromModule(module, classNames: Rows.Classes)) with { Method = DistillationMethod.Kd(alpha: 0), MinimumTeacherAccuracy = 0 }, view);
                Check.AtLeast(Sample.Accuracy(scores), 0.9, "accuracy of a student that learns from labels alone");
            }, "input");
            yield return Case.Told("a module that answers otherwise each time", () =>
            {
                using var module = new OwnModule(rows => rand(rows.shape[0], 3).mul(5f));
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)));
            }, "OwnModule", "each time");
            yield return Case.Refused("a transformer that was disposed of", () =>
            {
                var context = Log.Context();
                var view = Sample.Points();
                var onnx = context.Transforms.ApplyOnnxModel(["output"], ["input"], Sample.Model("iris-mlp.onnx"));
                var chain = context.Transforms.CopyColumns("input", "Features").Append(onnx).Fit(view);
                chain.Dispose();
                Sample.Fit(Sample.Short(Teacher.FromTransformer(chain, "output", ScoreKind.Logits, Rows.Classes)), view);
            }, "disposed model", "row 0", "keep it");
            yield return Case.Works("a student whose engine was disposed of still scores and saves", () =>
            {
                var view = Sample.Points();
                var context = Log.Context();
                var student = Sample.Fit(Sample.Learning(), view);
                var before = student.Scores(view);
                context.Model.CreatePredictionEngine<KeyedPoint, Scored>(student, view.Schema).Dispose();
                Check.That(Same(student.Scores(view), before), "other scores");
                using var folder = new ToyFolder();
                context.Model.SaveAtomically(student, view.Schema, folder.File("a.zip"));
                Check.That(Same(context.Model.LoadVerified(folder.File("a.zip"), out _).Scores(view), before), "other scores from the zip");
            });
            yield return Case.Works("one student scores on eight threads", () =>
            {
                var view = Sample.Points();
                var student = Sample.Fit(Sample.Learning(), view);
                var expected = student.Scores(view);
                Check.That(Enumerable.Range(0, 32).AsParallel().WithDegreeOfParallelism(8).All(_ => Same(student.Scores(view), expected)), "other scores");
            });
            yield return Case.Works("one trainer fits on four threads", () =>
            {
                var view = Sample.Points();
                var trainer = Sample.Trainer(Sample.Short());
                var expected = trainer.Fit(view).Scores(view);
                Check.That(Enumerable.Range(0, 8).AsParallel().WithDegreeOfParallelism(4).All(_ => Same(trainer.Fit(view).Scores(view), expected)), "other students");
            });
            yield return Case.WorksOrRefused("a module that is disposed of while it teaches", () =>
            {
                var module = Sample.Module();
                Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)) with
                {
                    Epochs = 3,
                    Augmentations = [Augmentation.GaussianNoise(0.1)],
                    Progress = new Sink(_ => module.Dispose()),
                });
            }, "disposed");
            yield return Case.WorksOrRefused("a module that is changed while it teaches", () =>
            {
                using var module = Sample.Module();
                var before = module.parameters().First().clone();
                Sample.Learns(Sample.Learning(Teacher.FromModule(module, classNames: Rows.Classes)) with { Progress = new Sink(_ => { using (no_grad()) module.parameters().First().mul_(1f); }) });
            }, "module");
            yield return Case.Works("a sink that throws loses no student", () => Sample.Learns(Sample.Learning() with { Progress = new Sink(_ => throw new IOException("The disk is full.")) }));
            yield return Case.Told("a sink that throws is told", () => Sample.Fit(Sample.Short() with { Progress = new Sink(_ => throw new IOException("The disk is full.")) }), "Progress", "The disk is full");
            yield return Case.Refused("a token that is cancelled already", () => Sample.Fit(Sample.Short() with { CancellationToken = new CancellationToken(true) }), "cancel");
            yield return Case.Works("a token that is cancelled in the second epoch, the best wanted", () =>
            {
                using var source = new CancellationTokenSource();
                var student = Sample.Fit(Sample.Learning() with
                {
                    OnCancellation = CancellationBehavior.ReturnBest,
                    CancellationToken = source.Token,
                    Progress = new Sink(epoch => { if (epoch.Epoch == 2) source.Cancel(); }),
                });
                Check.That(student.Model.History.Count is 2 or 3, $"{student.Model.History.Count} epochs");
            });
            yield return Case.Refused("a token that is cancelled before the first epoch, the best wanted", () => Sample.Fit(
                Sample.Short() with { OnCancellation = CancellationBehavior.ReturnBest, CancellationToken = new CancellationToken(true) }), "cancel");
            yield return Case.Refused("a token source that was disposed of", () =>
            {
                var source = new CancellationTokenSource();
                var token = source.Token;
                source.Cancel();
                source.Dispose();
                Sample.Fit(Sample.Short() with { CancellationToken = token });
            }, "cancel");
            yield return Case.Refused("a fit of a fit's own sink", () => Sample.Fit(Sample.Short() with { Progress = ProgressSinks.All(null!) }), "sink");
            yield return Case.Refused("JSON lines where no file can be", () => Sample.Fit(Sample.Short() with { Progress = new JsonLinesProgress(Path.GetTempPath()) }), Path.GetTempPath());
            yield return Case.Refused("events where no folder can be", () => Sample.Fit(Sample.Short() with { Progress = new TensorBoardProgress(Sample.Model("mlp.pt")) }), "mlp.pt");
            yield return Case.Refused("no logger", () => new LoggerProgress(null!), "logger");
            yield return Case.Refused("a network of a student that was disposed of", () =>
            {
                var network = Sample.Fit(Sample.Short()).Model.ToNetwork();
                network.Dispose();
                network.Forward(zeros(2, 4), ModelOutputs.Logits);
            }, "disposed");
            yield return Case.Refused("initial weights of another network", () => Sample.Fit(Sample.Short() with
            {
                Student = NetworkSpec.Mlp(20),
                InitialWeights = InitialWeights.From(Sample.Fit(Sample.Short()).Model),
            }), "InitialWeights", "20");
            yield return Case.Refused("initial weights of other classes", () => Sample.Fit(
                Sample.Short() with { InitialWeights = InitialWeights.From(Sample.Fit(Sample.Short()).Model) },
                Log.Context().Keyed(Rows.Points(60).Select(row => new Point { Label = row.Label + "s", Features = row.Features }))), "InitialWeights", "ashs");
            foreach (var share in new[] { -0.1, 1.1, double.NaN })
            {
                yield return Case.Refused(FormattableString.Invariant($"initial weights of which {share} are random"),
                    () => Sample.Trainer(Sample.Short() with { InitialWeights = InitialWeights.From(Sample.Fit(Sample.Short()).Model, share) }), "random", FormattableString.Invariant($"{share}"));
            }
        }
    }

    private static Case Refused(string name, Func<Tensor, Tensor> forward, params string[] words) => Case.Refused(name, () =>
    {
        using var module = new OwnModule(forward);
        Sample.Fit(Sample.Short(Teacher.FromModule(module, classNames: Rows.Classes)));
    }, words);

    private static bool Same(float[][] one, float[][] other) => one.Zip(other).All(pair => pair.First.SequenceEqual(pair.Second));

    private sealed class KeyedPoint
    {
        public string Label { get; set; } = "";

        [KeyType(3)]
        public uint Class { get; set; }

        public float Weight { get; set; }

        public bool Held { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class OwnModule(Func<Tensor, Tensor> answer) : nn.Module<Tensor, Tensor>("Own")
    {
        public override Tensor forward(Tensor input) => answer(input);
    }
}

/// <summary>Calls a function at once, on the thread that reports.</summary>
internal sealed class Sink(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
