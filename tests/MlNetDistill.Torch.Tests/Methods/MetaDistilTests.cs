using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>MetaDistil at work: two networks train, and the teacher that was given stays as it is.</summary>
public sealed class MetaDistilTests
{
    private static readonly MetaDistilOptions Options = new() { FixedTeacherShare = 0, QuizShare = 0.25, Temperature = 2, Alpha = 0.7 };

    private static readonly (string Name, NetworkSpec Student)[] Students =
    [
        ("perceptron", NetworkSpec.Mlp(8)),
        ("batch normalization", NetworkSpec.ResNet(8, 2, 3, 4)),
        ("dropout", new Dropping()),
    ];

    public static IEnumerable<TestCaseData> AllStudents => Students.Select(s => new TestCaseData(s.Student).SetArgDisplayNames(s.Name));

    [TestCaseSource(nameof(AllStudents))]
    public void The_teacher_that_was_given_stays_as_it_is_bit_for_bit_and_its_copy_moves(NetworkSpec spec)
    {
        using var set = spec.NeedsImages ? Toy.Images() : Toy.Clouds();
        using var teaching = new Teaching(spec.NeedsImages ? NetworkSpec.ResNet(8, 2, 3, 4) : NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(spec, set);
        var before = Runs.State(teaching.Network);
        double[] copy = [];
        TrainingLoop? loop = null;
        var phase = Phase(teaching, Options, epochs: 2);
        using var all = DataSplit.All(set);
        using (loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, all, new Seeds(1), "student", new LoopSettings
        {
            AfterEpoch = _ => copy = Runs.State(loop!.State.Stage!.TeacherCopy!.Network),
        }))
        {
            loop.Run([phase]);
        }

        Assert.That(Runs.State(teaching.Network), Is.EqualTo(before));
        Assert.That(copy, Is.Not.EqualTo(before).And.Length.EqualTo(before.Length).And.All.Matches<double>(double.IsFinite));
    }

    [TestCaseSource(nameof(AllStudents))]
    public void Rounds_whose_teacher_has_the_rate_0_give_the_student_of_a_fixed_teacher_bit_for_bit(NetworkSpec spec)
    {
        var inRounds = Trained(spec, stage => stage with { TeacherSchedule = new Still(), BatchesPerRound = 2, QuizBatches = null });
        Assert.That(inRounds, Is.EqualTo(Trained(spec, stage => stage with { FixedTeacherEpochs = 3 })), "the optimizer, the statistics and the masks are those of a student without pilots");
        Assert.That(inRounds, Is.Not.EqualTo(Trained(spec, stage => stage)));
    }

    [Test]
    public void A_teacher_that_is_fixed_in_all_epochs_gives_the_student_of_KD_without_the_quiz_rows_bit_for_bit()
    {
        using var set = Toy.Clouds();
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        using var other = Runs.Student(NetworkSpec.Mlp(8), set);
        var stage = (BilevelStage)Phase(teaching, Options, epochs: 3) with { FixedTeacherEpochs = 3 };
        var (reports, loop) = Teaching.Train(student, set, stage);
        using (loop)
        using (var all = DataSplit.All(set))
        using (var generator = new Seeds(1).CreateGenerator("student quiz"))
        using (var quiz = QuizRows.Divide(set, all.Training, 0.25, generator, "stage"))
        {
            Assert.That(reports.SelectMany(r => r.Losses.Keys).Distinct(), Is.EquivalentTo(new[] { "crossEntropy", "kd", "total" }), "there is no quiz yet");
            var trained = new OnlyThese(quiz.Training);
            Runs.Train(other, set, stage.Student with { Sampler = trained });
            Assert.That(Runs.State(other), Is.EqualTo(Runs.State(student)));
        }
    }

    [Test]
    public void A_class_of_one_row_is_trained_on_and_never_a_part_of_the_quiz()
    {
        using var clouds = Toy.Clouds(rows: 40);
        using var set = Toy.Set(clouds.AllFeatures(), [.. Enumerable.Range(0, 40).Select(row => row == 7 ? 2L : row % 2)], clouds.Shape, 3);
        using var all = DataSplit.All(set);
        for (var seed = 1; seed <= 20; seed++)
        {
            using var generator = new Seeds(seed).CreateGenerator("quiz");
            using var divided = QuizRows.Divide(set, all.Training, 0.9, generator, "stage");
            var quiz = divided.Quiz.data<long>().ToArray();
            Assert.That(quiz, Has.Length.EqualTo(36).And.No.Member(7L));
            Assert.That(quiz.Concat(divided.Training.data<long>()), Is.EquivalentTo(Enumerable.Range(0, 40)));
        }
    }

    [Test]
    public void A_row_of_weight_0_is_never_a_part_of_the_quiz()
    {
        using var clouds = Toy.Clouds(rows: 40);
        using var set = Toy.Set(clouds.AllFeatures(), [.. Enumerable.Range(0, 40).Select(row => row % 3L)], clouds.Shape, 3, [.. Enumerable.Range(0, 40).Select(row => row % 4 == 0 ? 1f : 0)]);
        using var all = DataSplit.All(set);
        using var generator = new Seeds(1).CreateGenerator("quiz");
        using var divided = QuizRows.Divide(set, all.Training, 0.5, generator, "stage");
        Assert.That(divided.Quiz.data<long>().ToArray(), Has.Length.EqualTo(5).And.All.Matches<long>(row => row % 4 == 0), "half of those that count");
        Assert.That(divided.Training.shape[0], Is.EqualTo(35));
        using var none = Toy.Set(clouds.AllFeatures(), [.. Enumerable.Repeat(1L, 40)], clouds.Shape, 3, [.. Enumerable.Repeat(0f, 40)]);
        Assert.That(() => QuizRows.Divide(none, all.Training, 0.5, generator, "stage"), Throws.InvalidOperationException.With.Message.Contains("of 40 training rows 0 have a label and a weight above 0; at least 3 must."));
    }

    [TestCase(3, 1)]
    [TestCase(3, 2)]
    [TestCase(5, 2)]
    [TestCase(7, 3)]
    [TestCase(9, 4)]
    [TestCase(9, 16)]
    public void No_batch_of_the_quiz_has_a_single_row_which_batch_normalization_cannot_read(int rows, int batchSize)
    {
        using var set = Toy.Clouds(rows: 30);
        using var all = DataSplit.All(set);
        using var generator = new Seeds(1).CreateGenerator("quiz");
        using var divided = QuizRows.Divide(set, all.Training, rows / 30.0, generator, "stage");
        using var scope = NewDisposeScope();
        var batches = divided.GetBatches(batchSize, null, generator).Select(batch => batch.Positions.data<long>().ToArray()).ToList();
        Assert.That(batches.Select(batch => batch.Length), Is.All.GreaterThanOrEqualTo(2).And.All.LessThanOrEqualTo(Math.Max(batchSize, 3)));
        Assert.That(batches.SelectMany(batch => batch), Is.EqualTo(divided.Quiz.data<long>().ToArray()), "all of them once");
    }

    [Test]
    public void A_small_quiz_trains_a_student_with_batch_normalization()
    {
        using var set = Toy.Images();
        using var teaching = new Teaching(NetworkSpec.ResNet(8, 2, 3, 4), set);
        using var student = Runs.Student(NetworkSpec.ResNet(8, 2, 3, 4), set);
        var stage = (BilevelStage)Phase(teaching, Options, epochs: 1) with { QuizShare = 3.0 / set.Count, QuizBatches = null };
        var (reports, loop) = Teaching.Train(student, set, stage, settings: new LoopSettings { ScoringBatchSize = 2 });
        using (loop)
            Assert.That(reports.Single().Losses["quiz"], Is.GreaterThan(0));
    }

    [Test]
    public void The_copy_of_the_teacher_is_disposed_where_a_stage_cannot_begin()
    {
        using var set = Toy.Clouds();
        using var given = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        Network? copy = null;
        using var teacher = new NetworkTeacher(given, TeacherCaching.InMemory(64)) { BuildSame = () => copy = Runs.Student(NetworkSpec.Mlp(12), set, seed: 10) };
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var stage = new BilevelStage(Runs.Stage(1, new KdLoss(2), teacher) with { Sampler = new Failing() }, Optimizer.Sgd(0.05), 0.05);
        Assert.That(() => Teaching.Train(student, set, stage), Throws.TypeOf<NotSupportedException>());
        Assert.That(copy!.parameters().All(parameter => parameter.IsInvalid), Is.True);
    }

    [Test]
    public void Nobody_trains_on_the_quiz_which_is_drawn_from_the_labelled_rows_by_the_seed()
    {
        using var clouds = Toy.Clouds(rows: 80);
        using var set = Toy.Set(clouds.AllFeatures(), [.. clouds.Labels.data<long>().Select((label, row) => row < 40 ? label : IRowSource.MissingLabel)], clouds.Shape, 3);
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        long[] Seen(int seed)
        {
            using var student = Runs.Student(NetworkSpec.Mlp(8), set);
            var sampler = new Watching(16);
            var stage = (BilevelStage)Phase(teaching, Options, epochs: 2);
            Teaching.Train(student, set, stage with { Student = stage.Student with { Sampler = sampler } }, seed).Loop.Dispose();
            return [.. sampler.Seen.Distinct().Order()];
        }

        var seen = Seen(1);
        Assert.That(Enumerable.Range(0, 80).Select(i => (long)i).Except(seen).ToList(), Has.Count.EqualTo(10).And.All.LessThan(40), "a quarter of the labelled rows");
        Assert.That(Seen(1), Is.EqualTo(seen));
        Assert.That(Seen(2), Is.Not.EqualTo(seen));
    }

    [Test]
    public void Progress_names_the_loss_of_the_quiz_in_the_epochs_that_train_the_teacher()
    {
        using var set = Toy.Clouds();
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var (reports, loop) = Teaching.Train(student, set, Phase(teaching, Options with { FixedTeacherShare = 0.5 }, epochs: 4));
        loop.Dispose();
        Assert.That(reports.Select(r => r.Losses.ContainsKey("quiz")), Is.EqualTo(new[] { false, false, true, true }));
        Assert.That(reports[^1].Losses["quiz"], Is.GreaterThan(0));
        Assert.That($"{reports[^1]}", Does.Contain($", quiz {FormattableString.Invariant($"{reports[^1].Losses["quiz"]:0.0000}")}"));
    }

    [TestCaseSource(nameof(AllStudents))]
    public void The_same_seed_gives_the_same_student_bit_for_bit_and_another_seed_another(NetworkSpec spec)
    {
        Assert.That(Trained(spec, stage => stage), Is.EqualTo(Trained(spec, stage => stage)));
        Assert.That(Trained(spec, stage => stage, seed: 2), Is.Not.EqualTo(Trained(spec, stage => stage)));
    }

    [Test]
    public void The_phase_has_the_settings_of_the_method()
    {
        using var set = Toy.Clouds();
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        var stage = (BilevelStage)Phase(teaching, new MetaDistilOptions(), epochs: 240);
        Assert.That((stage.FixedTeacherEpochs, stage.BatchesPerRound, stage.PilotLearningRate, stage.QuizShare, stage.QuizBatches), Is.EqualTo((150, 1, 0.05, 0.1, (int?)1)));
        Assert.That($"{stage.TeacherOptimizer}", Is.EqualTo($"{Optimizer.Sgd(0.001, 0.9, false, 5e-4)}"));
        Assert.That($"{stage.Student.Loss}", Does.EndWith("crossEntropy + 0.9 * kd (Temperature 4)"));
        var squares = (BilevelStage)Phase(teaching, new MetaDistilOptions { SoftLoss = MetaDistilLoss.SquaredDifference, Temperature = 3, Alpha = 1 }, epochs: 2);
        Assert.That(squares.Student.Loss.Terms[1].Loss, Is.TypeOf<LogitMatchingLoss>());
        Assert.That(squares.Student.Loss.Terms[1].Weight, Is.EqualTo(1 / 9.0));
        Assert.That((squares with { Name = "renamed", Epochs = 5 }).ToString(), Does.StartWith("renamed: 5 epochs on 0 * crossEntropy + 0.1111111111111111 * logitMatching"));
    }

    [Test]
    public void Every_fault_of_the_settings_is_named() => Assert.That(
        DistillationMethod.MetaDistil(new MetaDistilOptions
        {
            Temperature = 0,
            Alpha = 0,
            PilotLearningRate = 0,
            TeacherOptimizer = Optimizer.Sgd(-1),
            FixedTeacherShare = 1,
            QuizShare = 0,
            QuizBatches = 0,
            BatchesPerRound = 0,
            SoftLoss = (MetaDistilLoss)7,
        }).Validate(),
        Is.EqualTo(new[]
        {
            "MetaDistil's Temperature must be above 0; was 0.",
            "MetaDistil's Alpha must be in (0, 1], as the teacher learns through its term; was 0.",
            "MetaDistil's SoftLoss must be Divergence or SquaredDifference; was 7.",
            "MetaDistil's PilotLearningRate must be above 0; was 0.",
            "MetaDistil's teacher: The optimizer's LearningRate must be above 0; was -1.",
            "MetaDistil's FixedTeacherShare must be in [0, 1); was 1.",
            "MetaDistil's QuizShare must be in (0, 1); was 0.",
            "MetaDistil's QuizBatches must be at least 1; was 0.",
            "MetaDistil's BatchesPerRound must be at least 1; was 0.",
        }));

    [Test]
    public void What_cannot_be_trained_is_refused_by_name()
    {
        using var set = Toy.Clouds();
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var cached = Runs.Cached(teaching.Network, set);
        using var unlabelled = Toy.Set(set.AllFeatures(), [.. Enumerable.Repeat(IRowSource.MissingLabel, 96)], set.Shape, 3);
        var stage = (BilevelStage)Phase(teaching, Options, epochs: 1);
        BilevelStage With(DistillationLoss loss) => stage with { Student = stage.Student with { Loss = loss } };
        Refused(stage with { Student = stage.Student with { Teacher = cached } }, set, "Stage 'MetaDistil' trains a copy of its teacher, and this teacher (GivenTeacher) cannot be copied and trained: ");
        Refused(With(new CrossEntropyLoss() + new DistLoss(1)), set, "Stage 'MetaDistil': Its loss term 'dist' has no gradient towards the teacher that can be differentiated again. ");
        Refused(With(new CrossEntropyLoss()), set, "Stage 'MetaDistil': No term of its loss that has a weight reads the teacher, so the teacher would have nothing to learn from. Add a KdLoss or a LogitMatchingLoss.");
        Refused(stage with { QuizLoss = new KdLoss(1) }, set, "Stage 'MetaDistil': Its QuizLoss must be a loss over labels and the student's logits; it is kd.");
        Refused(stage with { QuizLoss = new ArcFaceLoss(3) }, set, "Stage 'MetaDistil': Its QuizLoss must be a loss over labels and the student's logits; it is arcFace.");
        Refused(With(new KdLoss(2) + new ArcFaceLoss(3)), set, "Stage 'MetaDistil': Its loss term 'arcFace' reads Embedding of the student; a round computes the student's logits alone. ");
        Refused(stage with { PilotLearningRate = -1 }, set, "Stage 'MetaDistil': Its PilotLearningRate must be above 0; was -1.");
        Refused(stage, unlabelled, "Stage 'MetaDistil' holds labelled training rows out as a quiz, and of 96 training rows 0 have a label; at least 3 must. ");
    }

    [Test]
    public void A_teacher_that_runs_away_is_named_by_the_quiz_or_the_loss()
    {
        using var set = Toy.Clouds();
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var stage = (BilevelStage)Phase(teaching, Options, epochs: 3) with { PilotLearningRate = 1e30 };
        Assert.That(() => Teaching.Train(student, set, stage), Throws.TypeOf<NonFiniteLossException>());
    }

    private static void Refused(TrainingPhase phase, IRowSource set, string start)
    {
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        var before = Runs.State(student);
        Assert.That(() => Teaching.Train(student, set, phase), Throws.InvalidOperationException.With.Message.StartsWith(start));
        Assert.That(Runs.State(student), Is.EqualTo(before), "nothing was trained");
    }

    private static TrainingPhase Phase(Teaching teaching, MetaDistilOptions options, int epochs) => DistillationMethod.MetaDistil(options).Phases(new MethodContext(
        [teaching.Anchor], teaching.Teacher.Shapes, new ShuffledSampler(16), epochs, Optimizer.Sgd(0.1), LearningRateSchedule.Constant())).Single();

    private static double[] Trained(NetworkSpec spec, Func<BilevelStage, BilevelStage> change, int seed = 1)
    {
        using var set = spec.NeedsImages ? Toy.Images() : Toy.Clouds();
        using var teaching = new Teaching(spec.NeedsImages ? NetworkSpec.ResNet(8, 2, 3, 4) : NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(spec, set);
        random.manual_seed(3);
        Teaching.Train(student, set, change((BilevelStage)Phase(teaching, Options, epochs: 3)), seed).Loop.Dispose();
        return Runs.State(student);
    }

    private sealed record Still : LearningRateSchedule
    {
        protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) => 0;
    }

    /// <summary>Batches of 16 of given rows, whatever rows there are.</summary>
    private sealed class OnlyThese(Tensor rows) : MlNetDistill.Data.Sampler
    {
        private readonly ShuffledSampler _inner = new(16);

        public override int BatchesPerEpoch(long count) => _inner.BatchesPerEpoch(rows.shape[0]);

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator) => _inner.Epoch(rows, generator);
    }

    private sealed class Failing : MlNetDistill.Data.Sampler
    {
        public override int BatchesPerEpoch(long rows) => throw new NotSupportedException();

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator) => [];
    }

    private sealed class Watching(int batchSize) : MlNetDistill.Data.Sampler
    {
        private readonly ShuffledSampler _inner = new(batchSize);

        public List<long> Seen { get; } = [];

        public override int BatchesPerEpoch(long count) => _inner.BatchesPerEpoch(count);

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
        {
            Seen.AddRange(training.data<long>().ToArray());
            return _inner.Epoch(training, generator);
        }
    }

    /// <summary>A layer and dropout of TorchSharp's, which draws from the generator of the process.</summary>
    private sealed record Dropping : NetworkSpec
    {
        public override string Name => "dropping";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new([new Linear(shape.Length, 8, generator), new Relu(), new ModuleBlock(nn.Dropout(0.5), (_, input) => input)], [], 8);
    }
}
