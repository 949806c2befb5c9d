using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// A task made for MetaDistil: the teacher learnt from labels of which those in one region are systematically wrong, and of the student's rows a fifth have (right) labels.
/// The quiz shows what the teacher teaches wrongly.
/// </summary>
[Category("NoCulture")]
public sealed class MetaDistilTaskTests
{
    private const int Epochs = 40;

    [Test]
    public void The_student_of_a_teacher_that_learns_beats_that_of_a_fixed_copy_at_equal_steps()
    {
        List<(double Fixed, double Learning, double FirstQuiz, double LastQuiz)> seen = [];
        for (var seed = 1; seed <= 3; seed++)
        {
            using var scope = NewDisposeScope();
            using var wrong = Draw(600, seed, share: 1, isWrong: true);
            using var set = Draw(600, seed + 100, share: 0.2, isWrong: false);
            using var judging = Draw(2000, seed + 200, share: 1, isWrong: false);
            using var teaching = new Teaching(NetworkSpec.Mlp(32), set, network => Runs.Train(network, wrong, Runs.Stage(30, optimizer: Optimizer.AdamW(0.01))));
            var (atFixed, _) = Train(teaching, set, judging, seed, fixedEpochs: Epochs);
            var (learning, quiz) = Train(teaching, set, judging, seed, fixedEpochs: 0);
            using var all = Runs.Student(NetworkSpec.Mlp(16), set, seed);
            Runs.Train(all, set, CreateStage(teaching), seed);
            seen.Add((atFixed, learning, quiz[0], quiz[^1]));
            TestContext.Out.WriteLine($"seed {seed}: teacher {Runs.Accuracy(teaching.Network, judging):0.000}, fixed {atFixed:0.000}, fixed without a quiz {Runs.Accuracy(all, judging):0.000}, learning {learning:0.000}, quiz {quiz[0]:0.000} to {quiz[^1]:0.000}");
        }

        Assert.That(seen.Select(s => s.Learning - s.Fixed), Has.All.GreaterThan(0));
        Assert.That(seen.Average(s => s.Learning - s.Fixed), Is.GreaterThan(0.02));
        Assert.That(seen.Select(s => s.LastQuiz - s.FirstQuiz), Has.All.LessThan(0), "the loss of the quiz falls");
    }

    private static (double Accuracy, double[] Quiz) Train(Teaching teaching, IRowSource set, IRowSource judging, int seed, int fixedEpochs)
    {
        using var student = Runs.Student(NetworkSpec.Mlp(16), set, seed);
        var stage = new BilevelStage(CreateStage(teaching), Optimizer.Sgd(0.5, 0.9, false, 0), 0.5)
        {
            QuizShare = 0.3,
            QuizBatches = null,
            FixedTeacherEpochs = fixedEpochs,
        };
        var (reports, loop) = Teaching.Train(student, set, stage, seed);
        loop.Dispose();
        return (Runs.Accuracy(student, judging), [.. reports.Where(r => r.Losses.ContainsKey("quiz")).Select(r => r.Losses["quiz"])]);
    }

    private static Stage CreateStage(Teaching teaching) =>
        Runs.Stage(Epochs, (0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(1)), teaching.Teacher, batchSize: 32, optimizer: Optimizer.Sgd(0.1));

    /// <summary>Three classes around a point by angle; wrong labels have one sector in its neighbour's class.</summary>
    private static InMemoryRows Draw(int rows, int seed, double share, bool isWrong)
    {
        var random = new Random(seed);
        var features = new float[rows, 2];
        var labels = new long[rows];
        for (var i = 0; i < rows; i++)
        {
            var (angle, radius) = (2 * Math.PI * random.NextDouble(), 0.5 + random.NextDouble());
            (features[i, 0], features[i, 1]) = ((float)(radius * Math.Cos(angle)), (float)(radius * Math.Sin(angle)));
            var label = (long)(3 * angle / (2 * Math.PI));
            var inSector = angle is > 1 and < 1.8;
            labels[i] = random.NextDouble() >= share ? IRowSource.MissingLabel : isWrong && inSector ? (label + 1) % 3 : label;
        }

        return Toy.Set(tensor(features), labels, InputShape.Vector(2), 3);
    }
}
