namespace MlNetDistill.Evaluation;

/// <summary>Counts rows by class.</summary>
internal sealed class ClassCounts(IReadOnlyList<string> classes)
{
    private readonly CellCounts _predictions = new();
    private readonly long[] _teacherPredicts = new long[classes.Count];
    private readonly long[] _rows = new long[classes.Count];
    private readonly long[] _bothRight = new long[classes.Count];
    private readonly long[] _lost = new long[classes.Count];
    private readonly long[] _gained = new long[classes.Count];

    public void Add(int teacher, int student, int? label)
    {
        _predictions.Add(teacher, student);
        _teacherPredicts[teacher]++;
        if (label is not { } right)
            return;
        _rows[right]++;
        var (teacherRight, studentRight) = (teacher == right, student == right);
        _bothRight[right] += teacherRight && studentRight ? 1 : 0;
        _lost[right] += teacherRight && !studentRight ? 1 : 0;
        _gained[right] += studentRight && !teacherRight ? 1 : 0;
    }

    public void Add(ClassCounts other)
    {
        _predictions.Add(other._predictions);
        foreach (var (counts, others) in new[]
        {
            (_teacherPredicts, other._teacherPredicts), (_rows, other._rows), (_bothRight, other._bothRight), (_lost, other._lost), (_gained, other._gained),
        })
        {
            for (var i = 0; i < counts.Length; i++)
                counts[i] += others[i];
        }
    }

    public AgreementMatrix ToMatrix() => new(classes.Count, _predictions.Copy());

    public IReadOnlyList<ClassFidelity> PerClass() =>
    [
        .. classes.Select((name, c) => new ClassFidelity
        {
            Class = name,
            Rows = _rows[c],
            TeacherCorrect = _bothRight[c] + _lost[c],
            StudentCorrect = _bothRight[c] + _gained[c],
            Lost = _lost[c],
            Gained = _gained[c],
            TeacherPredicts = _teacherPredicts[c],
            BothPredict = _predictions[c, c],
        }),
    ];
}
