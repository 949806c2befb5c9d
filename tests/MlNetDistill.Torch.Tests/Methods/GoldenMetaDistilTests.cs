using System.Text.Json;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Rounds of MetaDistil's official code (JetRunner/MetaDistil 80e60c1), in float64: every weight of both networks after each round.</summary>
public sealed class GoldenMetaDistilTests
{
    private const string File = "metadistil.json";

    /// <summary>Records that are not checked, each with the reason: none.</summary>
    private static readonly Dictionary<int, string> LeftOut = [];

    // A step weighs terms without a gradient in closed form by 32-bit floats, of which 0.5 and 1 are exact and 0.9 is not, by 2.6e-8: 1.2e-9 of the largest value was seen.
    private static double Tolerance(JsonElement settings) => Golden.Number(settings.GetProperty("alpha")) == 0.9 ? 5e-9 : 1e-12;

    private static readonly string[] Weights = ["w1", "b1", "w2", "b2"];

    public static IEnumerable<int> Checked => Enumerable.Range(0, Golden.Records(File).Count).Except(LeftOut.Keys);

    [Test]
    public void Every_record_is_checked_or_left_out_with_a_reason()
    {
        var records = Golden.Records(File);
        Assert.That(Checked.Concat(LeftOut.Keys).Order(), Is.EqualTo(Enumerable.Range(0, records.Count)));
        Assert.That(records, Has.Count.EqualTo(6));
        Assert.That(records.Select(r => r.GetProperty("name").GetString()), Has.All.EqualTo("metadistil"));
        // The file has float64 alone: rounds in float32 part ways with it at once, as ReLUs switch.
        Assert.That(records.Select(r => r.GetProperty("dtype").GetString()), Has.All.EqualTo("float64"));
    }

    [TestCaseSource(nameof(Checked))]
    public void Both_networks_have_the_weights_of_the_official_code_after_each_round(int index)
    {
        using var scope = NewDisposeScope();
        var record = Golden.Records(File)[index];
        var (settings, inputs) = (record.GetProperty("params"), record.GetProperty("inputs"));
        double Setting(string name) => Golden.Number(settings.GetProperty(name));
        using var set = Toy.Clouds();
        using var student = Build(inputs.GetProperty("student"), set);
        using var copied = Build(inputs.GetProperty("teacher"), set);
        using var teacher = new TrainableTeacher(copied, null);
        student.TrainOnly(NetworkPart.Whole);
        var tolerance = Tolerance(settings);
        var size = (int)Setting("batches_per_round");
        var batches = inputs.GetProperty("batches").EnumerateArray().Select(b => ReadBatch(b, set)).Chunk(size).ToList();
        Batch[] quiz = [.. inputs.GetProperty("quiz").EnumerateArray().Select(b => ReadBatch(b, set))];
        using var run = Begin(Stage(settings, teacher), student, set);
        var first = record.GetProperty("first_round");
        List<double> pilotLosses = [];
        using var bilevel = new BilevelRun(
            new BilevelStage(run.Stage, Optimizer.Sgd(Setting("teacher_learning_rate"), Setting("momentum"), false, Setting("weight_decay")), Setting("pilot_learning_rate")) { BatchesPerRound = size },
            run, null, loss =>
            {
                pilotLosses.Add(loss.item<double>());
                if (pilotLosses.Count == size)
                    Compare(student, first.GetProperty("pilot_student"), 1e-12, "pilot");
            });
        CheckTeacherGradient(run, teacher, Setting("pilot_learning_rate"), batches[0], quiz, first);
        var execution = new TrainingExecution(null, TrainingPrecision.Float32);
        foreach (var (expected, round) in record.GetProperty("expected").EnumerateArray().Zip(batches))
        {
            var what = $"record {index}, round {expected.GetProperty("round")}";
            bilevel.UpdateTeacher(round, quiz);
            foreach (var batch in round)
            {
                run.BeginStep();
                execution.Step(run, batch);
            }

            var losses = bilevel.AddMean(run.Losses.TakeMeans("stage", 1, names => new InvalidOperationException()), names => new InvalidOperationException());
            Near.Value(losses["quiz"], Golden.Number(expected.GetProperty("quiz_loss")), tolerance, 0, what);
            Near.Value(losses["total"], Golden.Numbers(expected.GetProperty("student_loss")).Average(), tolerance, 0, what);
            Compare(student, expected.GetProperty("student"), tolerance, what);
            Compare(copied, expected.GetProperty("teacher"), tolerance, what);
        }

        Near.Array([.. pilotLosses.Take(size)], Golden.Numbers(first.GetProperty("pilot_loss")), 1e-12, 0, "pilot losses");
    }

    private static void CheckTeacherGradient(StageRun run, TrainableTeacher teacher, double rate, IReadOnlyList<Batch> batches, IReadOnlyList<Batch> quiz, JsonElement expected)
    {
        using var round = new BilevelRound(run.Student, teacher, run.Parameters, run.Stage.Loss, new CrossEntropyLoss());
        var before = Runs.State(run.Student);
        var loss = round.ComputeTeacherGradient(batches, quiz, rate, 1);
        Near.Value(loss.item<double>(), Golden.Number(expected.GetProperty("quiz_loss")), 1e-12, 0, "quiz loss");
        foreach (var (name, (_, parameter)) in Weights.Zip(teacher.Parameters))
            Near.Array(Near.Values(parameter.grad!), Golden.Numbers(expected.GetProperty("teacher_gradient").GetProperty(name).GetProperty("data")), 1e-10, 1e-18, $"teacher's gradient, {name}");
        Assert.That(Runs.State(run.Student), Is.EqualTo(before), "the student is as before");
        Assert.That(run.Parameters.Select(p => p.grad), Has.All.Null);
        foreach (var (_, parameter) in teacher.Parameters)
            parameter.grad = null;
    }

    private static Stage Stage(JsonElement settings, StageTeacher teacher)
    {
        double Setting(string name) => Golden.Number(settings.GetProperty(name));
        var (alpha, temperature) = (Setting("alpha"), Setting("temperature"));
        var soft = settings.GetProperty("distillation_loss").GetString() == "kl" ? new KdLoss(temperature) : 1 / (temperature * temperature) * new LogitMatchingLoss();
        return Runs.Stage(
            1, ((1 - alpha) * new CrossEntropyLoss()) + (alpha * soft), teacher, optimizer: Optimizer.Sgd(Setting("student_learning_rate"), Setting("momentum"), false, Setting("weight_decay")));
    }

    private static StageRun Begin(Stage stage, Network student, IRowSource set)
    {
        using var generator = new Generator(1);
        var run = new StageRun(stage, student, student.GetOutputShapes(), set, set.Count, generator, new StageState { Name = stage.Name }, new ObserverList());
        run.State.Epoch++;
        student.TrainOnly(NetworkPart.Whole);
        return run;
    }

    private static Batch ReadBatch(JsonElement value, IRowSource set)
    {
        var labels = tensor(Golden.Integers(value.GetProperty("y")));
        return new Batch(set, arange(labels.shape[0]), Golden.Tensor(value.GetProperty("x"), float64), labels, null);
    }

    private static Network Build(JsonElement weights, IRowSource set)
    {
        // A scaling by 1 makes the network read float64.
        var network = NetworkSpec.Mlp((int)weights.GetProperty("b1").GetProperty("shape")[0].GetInt64()).Build(new NetworkInput(set.Shape, set.IsByte, new InputStatistics([0], [1])), 3, 1);
        network.to(float64);
        using var noGrad = no_grad();
        foreach (var (name, parameter) in Weights.Zip(network.parameters()))
            _ = parameter.copy_(Golden.Tensor(weights.GetProperty(name), float64));
        return network;
    }

    private static void Compare(Network network, JsonElement expected, double tolerance, string what)
    {
        foreach (var (name, parameter) in Weights.Zip(network.parameters()))
            Near.Array(Near.Values(parameter), Golden.Numbers(expected.GetProperty(name).GetProperty("data")), tolerance, 0, $"{what}, {name}");
    }
}
