using MlNetDistill.Alignment;

namespace MlNetDistill.Evaluation;

/// <summary>The scores of teacher and student for a row, and the statistics computed from them.</summary>
internal sealed class RowPair
{
    private readonly RowProbabilities _teacher;
    private readonly RowProbabilities _student;
    private readonly ClassRanking _teacherRanking;
    private readonly ClassRanking _studentRanking;
    private readonly double[] _scratch;
    private readonly double[] _figures;
    private readonly IReadOnlyList<int> _topK;

    public RowPair(AlignedScores teacher, AlignedScores student, IReadOnlyList<int> topK)
    {
        var classes = student.Order.SourcesOf.Count;
        (_teacher, _student) = (new RowProbabilities(teacher), new RowProbabilities(student));
        (_teacherRanking, _studentRanking) = (new ClassRanking(classes), new ClassRanking(classes));
        _scratch = new double[classes];
        _figures = new double[Statistics(topK.Count)];
        _topK = topK;
    }

    public int TeacherPredicts => _teacherRanking.First;

    public int StudentPredicts => _studentRanking.First;

    public double TeacherConfidence => _teacher.Given[TeacherPredicts];

    public double StudentConfidence => _student.Given[StudentPredicts];

    /// <summary>A number for each <see cref="Statistic"/>, then the overlap for each k.</summary>
    public ReadOnlySpan<double> Figures => _figures;

    private double this[Statistic statistic]
    {
        set => _figures[(int)statistic] = value;
    }

    public static int Statistics(int topK) => (int)Statistic.TopKOverlap + topK;

    /// <summary>Reads a row. After an exception the content is undefined.</summary>
    public void Read(ReadOnlySpan<float> teacherScores, ReadOnlySpan<float> studentScores, int? label, long number, UInt128 id)
    {
        _teacher.Read(teacherScores, number, id);
        _student.Read(studentScores, number, id);
        _teacherRanking.Read(_teacher.Keys);
        _studentRanking.Read(_student.Keys);
        Array.Clear(_figures);
        this[Statistic.Rows] = 1;
        if (label is { } right)
            AddQuality(right);
        AddFidelity();
    }

    private void AddQuality(int label)
    {
        var (teacherRight, studentRight) = (TeacherPredicts == label, StudentPredicts == label);
        this[Statistic.Labelled] = 1;
        this[Statistic.TeacherCorrect] = One(teacherRight);
        this[Statistic.StudentCorrect] = One(studentRight);
        this[Statistic.BothRight] = One(teacherRight && studentRight);
        this[Statistic.BothWrongAlike] = One(!teacherRight && TeacherPredicts == StudentPredicts);
        this[Statistic.TeacherLogLoss] = _teacher.LogLoss(label);
        this[Statistic.StudentLogLoss] = _student.LogLoss(label);
        this[Statistic.TeacherBrier] = _teacher.Brier(label);
        this[Statistic.StudentBrier] = _student.Brier(label);
    }

    private void AddFidelity()
    {
        this[Statistic.Agree] = One(TeacherPredicts == StudentPredicts);
        this[Statistic.Divergence] = Divergences.KullbackLeibler(_teacher, _student);
        this[Statistic.ReverseDivergence] = Divergences.KullbackLeibler(_student, _teacher);
        this[Statistic.JensenShannon] = Divergences.JensenShannon(_teacher, _student, _scratch);
        this[Statistic.SquaredDifference] = Divergences.SquaredDifference(_teacher, _student);
        var correlation = ClassRanking.Correlation(_teacherRanking, _studentRanking);
        if (!double.IsNaN(correlation))
        {
            this[Statistic.Ranked] = 1;
            this[Statistic.RankCorrelation] = correlation;
        }

        for (var i = 0; i < _topK.Count; i++)
            this[Statistic.TopKOverlap + i] = ClassRanking.Overlap(_teacherRanking, _studentRanking, _topK[i]);
    }

    private static double One(bool condition) => condition ? 1 : 0;
}
