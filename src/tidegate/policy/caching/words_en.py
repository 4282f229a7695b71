"""What the lexical gate knows of English: which words say nothing, which say the same, and what must never be dropped.

Written by hand. A form on the right of `=` in `SAME` is read as the one on its left. Marks: `?` a question word, `!` a
negation, `~` time and modality; they are compared as sets, the rest in order. A word that stands in no list must agree
as it is, so a language that the lists do not know is compared word by word.
"""

from typing import Final

# Articles, auxiliaries and prepositions that are chosen freely. Never: by, from, than, over, off, out, up, down.
EMPTY: Final = """
someones truly a about actually also am an and any anybody anyone are as at be been being currently d dear do does
doing etc ever exactly extremely for get gets getting got has have having hello here hey hi highly i in is it its just
kind kindly kinds m my of on one ones our own please possible re really s so some somebody someone sort sorts thank
thanks that the there these this those to type types u ve very we with you your
"""

SAME: Final = """
?what = what which whats
?who = who whom
?where = where wheres
?when = when
?why = why
?how = how
!not = not no never cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt nor neither none
!not = nothing nobody nowhere hardly barely without
~can = can could able
~should = should ought
~must = must shall
~will = will would gonna
~past = did was were had
~may = may might
person = people persons human humans peoples
man = men guy guys
woman = women
child = children kids kid
foot = feet
tooth = teeth
mouse = mice
life = lives
wife = wives
buy = bought purchase purchasing purchased purchases
sell = sold
make = made create created creating creates
build = built
learn = learnt
lose = lost
go = went gone goes
see = saw seen
know = knew known
think = thought
feel = felt
write = wrote written
speak = talk spoke spoken talking talks
give = gave given
take = took taken
choose = pick select chose chosen picking selecting
hear = heard
find = found
tell = told
keep = kept
pay = paid
meet = met
send = sent
spend = spent
bring = brought
catch = caught
drive = drove driven
eat = ate eaten
fall = fell fallen
fight = fought
forget = forgot forgotten
grow = grew grown
hold = held
say = said
sleep = slept
stand = stood
steal = stole stolen
teach = taught
wear = wore worn
win = won
favorite = favourite favourites favorites
color = colour colours colors
center = centre centres centers
behavior = behaviour behaviours behaviors
begin = began begun beginning start starting started starts
end = finish finishing finished finishes ended
stop = quit quitting stopping stopped
fix = repair repairing repaired fixing fixed
solve = resolve resolving resolved
get_rid = remove removing removed eliminate eliminating
recover = retrieve retrieving retrieved restore restored restoring
delete = erase erasing erased deleting deleted
edit = modify editing modifying modified
reduce = decrease lower reducing decreasing lowering reduced decreased
increase = raise boost increasing raising boosting increased
improve = enhance improving enhancing improved
prevent = avoid preventing avoiding
allow = permit permitting permitted allowed
need = require requires required needed needs
happen = happens happened happening occur occurs occurred
use = utilize utilise usage using used uses
join = enroll enrol joining
big = large huge bigger
quick = fast quickly rapidly rapid
easy = simple easily
hard = difficult tough
smart = intelligent clever
rich = wealthy
strange = weird odd
funny = hilarious humorous
famous = popular
important = significant
main = major
ok = okay alright
under = below beneath
mobile = phone cellphone smartphone phones mobiles smartphones
computer = pc computers pcs
app = application apps applications
movie = film films movies
photo = picture pictures pic pics photograph photographs photos image images
site = sites website websites
language = languages
math = maths mathematics
job = jobs
exam = examination exams examinations
company = companies firm firms
price = cost costs prices
advantage = advantages benefit benefits pros
disadvantage = disadvantages drawback drawbacks downside downsides cons
effect = effects impact impacts consequence consequences
meaning = definition meanings definitions
difference = differences distinction distinctions
example = examples instance instances
error = errors
mother = mom mum
self = myself yourself ourselves oneself
father = dad
mistake = mistakes
method = ways way methods technique techniques tip tips approach
best = top
good = great nice
usa = u.s us.a u.s.a america
uk = u.k britain
india = indian indians
china = chinese
"""

# Longest first. Of words as they are written, in lower case.
PHRASES: Final = """
?how = how come to
?how = what should i do to | what can i do to | what do i do to | what can you do to | what should you do to
?how = what must i do to | what can we do to | what should one do to | what do i have to do to
?why = how come
?why = what is the reason | what are the reasons | what's the reason | what is the cause of
?what meaning = what is meant by
?what inside = what is in | what's in | whats in
?what ~past happen = what happened | what has happened | what had happened
difference between = different between
?howmany = how many | what is the number of | what number of
?howmuch = how much
?howlong = how long | how much time
?howold = how old
?howoften = how often
?howfar = how far
?when = what time | at what time
!not = no longer | not any more
~must = have to | has to | need to | needs to | had to
~can = is it possible to | is it possible for | is there any possibility to
~will = going to
~used = used to
usa = united states of america | united states | the us
uk = united kingdom
get_rid = get rid of
~can = be able to
 = in order to | so far | out there | of all time
 = a lot of | lots of | a lot
 = i want to know | i would like to know | i'd like to know | do you know | does anyone know | can you tell me
 = could you tell me | can you explain | could you explain | please tell me | let me know | do you think | tell me
 = can you please | could you please | i wonder | i was wondering
"""

# After the above: several kept words that are one.
MERGED: Final = """
?how = ?what best method | ?what method | ?what easy method | ?how best method | best method
?how = ?what good method | ?what effective method | ?what most effective method | ?what best easy method
"""

# Words on `-s`, `-ing` and `-ed` that are no form of the word before the ending.
WHOLE: Final = """
accounting advertising always anything banking bearing bed being bleed boring borrowing breed bring building bus
clothing dating during economics embed engineering ethics evening everything exceed feed feeling fishing gas hearing
holding housing hundred indeed interesting king lending lens lighting limited listing living marketing meeting
morning naked need news nothing opening painting parking perhaps physics plus politics pricing proceed processing
programming rating red ring sacred saving savings seed series setting shipping sing something sometimes species
speed spring string succeed thing trading training united unlimited wedding wicked wing yes
"""

# What may never change places with something else: who does it to whom, from where, and in which order.
FIXING: Final = """
!not after against although because before between but by first from her him if instead into last less me more only
onto or over since than them then through till under unless until us versus vs while
"""

OPPOSITES: Final = """
on off|buy sell|open close|enable disable|start stop|begin end|increase decrease|increase reduce|raise lower
add remove|install uninstall|encrypt decrypt|encode decode|import export|upload download|lock unlock|more less
most least|best worst|good bad|big small|long short|high low|fast slow|early late|before after|up down|in out
over under|above below|left right|first last|win lose|lend borrow|push pull|accept reject|allow deny|allow forbid
allow block|connect disconnect|login logout|max min|maximum minimum|ascending descending|safe dangerous
legal illegal|true false|inside outside|hot cold|gain lose|credit debit|deposit withdraw|hire fire|expand collapse
show hide|include exclude|positive negative|public private|male female|man woman|boy girl|husband wife
mother father|brother sister|son daughter|north south|east west|old new|young old|rich poor|light dark|hard easy
hard soft|strong weak|arrive depart|arrive leave|enter exit|send receive|give take|teach learn|ask answer
read write|save delete|create delete|create destroy|mount unmount|subscribe unsubscribe|follow unfollow
merge split|join leave|attach detach|input output|client server|parent child|advantage disadvantage|pros cons
benefit risk|profit loss|asset liability|income expense|supply demand|majority minority|always never|all none
everyone nobody|with without|within beyond|morning evening|day night|summer winter|today tomorrow
yesterday tomorrow|monday friday|weekday weekend|next previous|future past|expensive cheap|happy sad|same different
same other|love hate
war peace
"""

UNITS: Final = """
amp billion bit byte celsius cm cny day decade degree dollar dozen eur euro fahrenheit foot g gallon gb gbp gram
hour hundred inch inr jpy kb kelvin kg kilogram kilometer km lb liter litre mb meter metre mile million minute mm
month ounce oz percent pound quarter rupee second tb thousand usd volt watt week yard year yen yuan
"""

NUMBERS: Final = """
zero=0 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13 fourteen=14
fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fifty=50 sixty=60 seventy=70
eighty=80 ninety=90 hundred=100 thousand=1000 million=1000000 billion=1000000000 half=0.5 second=2th third=3th
fourth=4th fifth=5th sixth=6th seventh=7th eighth=8th ninth=9th tenth=10th double=2x twice=2x triple=3x
"""

# A word more that makes another question.
QUALIFIERS: Final = """
lack lacks lacking miss missing
about actual adult again all almost already always annual another anti assistant automatic average baby basic block
both break but cancel child daily dead delete deputy die disable domestic double each early empty end enough estimat
every ex except expect expire expired fail failed failur fake female foreign former free full get_rid global gross
half he her him his hourly if illegal international junior just kill last late least legal less lite local male
mandatory manual max maximum me min mini minimum monthly more most national nearly net never new next non nor not
offline old online only optional or origin other overdue own paid partial passive permanent planned plus post pre
pregnant premium prevent previous primary pro projected quarterly real refund remote second secondary self senior
she single still stop sub super temporary their them they this too total triple ultra unless us used vice virtual
weekly wireless without yearly yet
"""
